#include "eval/layer_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

// A table of doubles, rows of equal width.
struct Table {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;
  Table(std::int64_t r, std::int64_t c)
      : rows(r), columns(c), values(static_cast<std::size_t>(r * c)) {}
  double* row(std::int64_t r) { return values.data() + r * columns; }
  const double* row(std::int64_t r) const { return values.data() + r * columns; }
};

Table RandomTable(Random& random, std::int64_t rows, std::int64_t columns, double deviation) {
  Table table(rows, columns);
  for (double& value : table.values) value = deviation * static_cast<double>(random.Normal());
  return table;
}

// Integer codes of a block and one scale, as `fast` makes them.
void RoundBlock(double* values, std::int64_t count) {
  double largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  if (largest == 0) return;
  constexpr double kCodes = 127;
  for (std::int64_t i = 0; i < count; ++i)
    values[i] = std::nearbyint(values[i] / largest * kCodes) * largest / kCodes;
}

void RoundToBf16(double* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    values[i] = static_cast<double>(Bf16ToF32(F32ToBf16(static_cast<float>(values[i]))));
}

// Rounds activations to a form, or leaves them (the exact twin).
class Rounding {
 public:
  Rounding(bool exact, ActivationForm form) : exact_(exact), form_(form) {}

  void Row(double* values, std::int64_t count) const {
    if (exact_ || form_ == ActivationForm::kF32) return;
    if (form_ == ActivationForm::kBF16) return RoundToBf16(values, count);
    const std::int64_t block = form_ == ActivationForm::kInt8x32 ? 32 : 256;
    for (std::int64_t at = 0; at < count; at += block)
      RoundBlock(values + at, std::min(block, count - at));
  }
  void Cached(Table* table) const {
    if (!exact_) RoundToBf16(table->values.data(), table->rows * table->columns);
  }

 private:
  bool exact_;
  ActivationForm form_;
};

// y = W x for every row of x, rounded first. W is [out, in].
Table Project(const Table& weight, Table x, const Rounding& rounding) {
  Table y(x.rows, weight.rows);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    rounding.Row(x.row(r), x.columns);
    for (std::int64_t o = 0; o < weight.rows; ++o) {
      double sum = 0;
      for (std::int64_t i = 0; i < x.columns; ++i) sum += weight.row(o)[i] * x.row(r)[i];
      y.row(r)[o] = sum;
    }
  }
  return y;
}

Table Normed(Table x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    double sum = 0;
    for (std::int64_t i = 0; i < x.columns; ++i) sum += x.row(r)[i] * x.row(r)[i];
    const double scale = 1 / std::sqrt(sum / static_cast<double>(x.columns));
    for (std::int64_t i = 0; i < x.columns; ++i) x.row(r)[i] *= scale;
  }
  return x;
}

Table Columns(const Table& x, std::int64_t first, std::int64_t count) {
  Table part(x.rows, count);
  for (std::int64_t r = 0; r < x.rows; ++r) std::copy_n(x.row(r) + first, count, part.row(r));
  return part;
}

void PutColumns(const Table& from, std::int64_t first, Table* to) {
  for (std::int64_t r = 0; r < from.rows; ++r)
    std::copy_n(from.row(r), from.columns, to->row(r) + first);
}

struct Weights {
  Table q_a, q_b, kv_a, o, gate, up, down;
  std::vector<Table> absorb, expand;  // per head
};

Weights RandomWeights(const LayerErrorShape& s, Random& random) {
  const auto unit = [&random](std::int64_t out, std::int64_t in) {
    return RandomTable(random, out, in, 1 / std::sqrt(static_cast<double>(in)));
  };
  Weights w{unit(s.q_rank, s.hidden),
            unit(s.heads * (s.nope + s.rope), s.q_rank),
            unit(s.latent + s.rope, s.hidden),
            unit(s.hidden, s.heads * s.value),
            unit(s.width, s.hidden),
            unit(s.width, s.hidden),
            unit(s.hidden, s.width),
            {},
            {}};
  for (std::int64_t h = 0; h < s.heads; ++h) {
    w.absorb.push_back(unit(s.latent, s.nope));
    w.expand.push_back(unit(s.value, s.latent));
  }
  return w;
}

// Absorbed attention of one head over all earlier tokens; scores have the shape's deviation.
Table AttendHead(const Table& query, const Table& key, std::int64_t latent, double deviation) {
  Table mixed(query.rows, latent);
  const double scale = deviation / std::sqrt(static_cast<double>(query.columns));
  for (std::int64_t t = 0; t < query.rows; ++t) {
    std::vector<double> p(static_cast<std::size_t>(t) + 1);
    double total = 0;
    for (std::int64_t s = 0; s <= t; ++s) {
      double dot = 0;
      for (std::int64_t i = 0; i < query.columns; ++i) dot += query.row(t)[i] * key.row(s)[i];
      p[static_cast<std::size_t>(s)] = std::exp(dot * scale);
      total += p[static_cast<std::size_t>(s)];
    }
    for (std::int64_t s = 0; s <= t; ++s)
      for (std::int64_t i = 0; i < latent; ++i)
        mixed.row(t)[i] += p[static_cast<std::size_t>(s)] / total * key.row(s)[i];
  }
  return mixed;
}

Table Attention(const LayerErrorShape& s, const Weights& w, const Table& x,
                const Rounding& rounding) {
  const Table q = Project(w.q_b, Normed(Project(w.q_a, x, rounding)), rounding);
  const Table kv = Project(w.kv_a, x, rounding);
  Table key(x.rows, s.latent + s.rope);
  PutColumns(Normed(Columns(kv, 0, s.latent)), 0, &key);
  PutColumns(Columns(kv, s.latent, s.rope), s.latent, &key);
  rounding.Cached(&key);
  Table heads(x.rows, s.heads * s.value);
  for (std::int64_t h = 0; h < s.heads; ++h) {
    const std::int64_t first = h * (s.nope + s.rope);
    Table query(x.rows, s.latent + s.rope);
    PutColumns(Project(w.absorb[static_cast<std::size_t>(h)], Columns(q, first, s.nope), rounding),
               0, &query);
    PutColumns(Columns(q, first + s.nope, s.rope), s.latent, &query);
    const Table mixed = AttendHead(query, key, s.latent, s.score_deviation);
    PutColumns(Project(w.expand[static_cast<std::size_t>(h)], mixed, rounding), h * s.value,
               &heads);
  }
  return Project(w.o, heads, rounding);
}

Table FeedForward(const Weights& w, const Table& x, const Rounding& rounding) {
  Table gate = Project(w.gate, x, rounding);
  const Table up = Project(w.up, x, rounding);
  for (std::size_t i = 0; i < gate.values.size(); ++i)
    gate.values[i] = gate.values[i] / (1 + std::exp(-gate.values[i])) * up.values[i];
  return Project(w.down, gate, rounding);
}

void AddTo(const Table& update, Table* residual) {
  for (std::size_t i = 0; i < update.values.size(); ++i) residual->values[i] += update.values[i];
}

Table RunLayer(const LayerErrorShape& shape, const Weights& weights, Table residual,
               const Rounding& rounding) {
  AddTo(Attention(shape, weights, Normed(residual), rounding), &residual);
  AddTo(FeedForward(weights, Normed(residual), rounding), &residual);
  return residual;
}

}  // namespace

double SimulateLayerError(ActivationForm form, const LayerErrorShape& shape, std::uint64_t seed) {
  Random random(seed);
  const Weights weights = RandomWeights(shape, random);
  const Table start = RandomTable(random, shape.tokens, shape.hidden, 1.0);
  const Table exact = RunLayer(shape, weights, start, Rounding(true, form));
  const Table fast = RunLayer(shape, weights, start, Rounding(false, form));
  double error = 0, size = 0;
  for (std::size_t i = 0; i < start.values.size(); ++i) {
    error += (fast.values[i] - exact.values[i]) * (fast.values[i] - exact.values[i]);
    size += (exact.values[i] - start.values[i]) * (exact.values[i] - start.values[i]);
  }
  return std::sqrt(error / size);
}

// Half as much again as the simulation gives for peaked attention (score deviation 4): a single
// prompt of few tokens scatters around the mean that is simulated. layer_error_test.cc holds the
// two together.
double FastLayerBound(ActivationForm form) {
  switch (form) {
    case ActivationForm::kF32:
      return 0.0045;
    case ActivationForm::kBF16:
      return 0.0102;
    case ActivationForm::kInt8x32:
      return 0.0303;
    case ActivationForm::kInt8x256:
      return 0.0399;
  }
  return 0;
}

}  // namespace hadal
