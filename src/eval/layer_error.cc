#include "eval/layer_error.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
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

// What one row of a cache part gives back after it was stored.
void RoundCachedRow(const CacheRowShape& shape, double* values) {
  if (shape.form == CacheForm::kPlain) return RoundToBf16(values, shape.width);
  std::vector<float> row(values, values + shape.width);
  RoundRow(shape, row.data(), row.data());
  std::copy(row.begin(), row.end(), values);
}

// Rounds activations, cached keys, and what attention multiplies them by to their forms, or leaves
// them (the exact twin).
class Rounding {
 public:
  explicit Rounding(const FastForms& forms) : forms_(forms) {}
  static Rounding None() {
    Rounding none({});
    none.exact_ = true;
    return none;
  }

  void Row(double* values, std::int64_t count) const {
    if (exact_ || forms_.activation == ActivationForm::kF32) return;
    if (forms_.activation == ActivationForm::kBF16) return RoundToBf16(values, count);
    const std::int64_t block = forms_.activation == ActivationForm::kInt8x32 ? 32 : 256;
    for (std::int64_t at = 0; at < count; at += block)
      RoundBlock(values + at, std::min(block, count - at));
  }
  // Queries, and weights of keys.
  void Paired(double* values, std::int64_t count) const {
    if (!exact_) RoundToBf16(values, count);
  }
  // Keys whose last columns are the rotated ones. Windows beside FP4 entries are FP8 (V4.1).
  void Cached(const LayerErrorShape& s, bool window, Table* keys) const {
    if (exact_) return;
    CacheRowShape row{forms_.keys, keys->columns, 0};
    if (window && row.form == CacheForm::kFp4Entry) row.form = CacheForm::kFp8Window;
    if (row.form == CacheForm::kFp8Latent || row.form == CacheForm::kFp8Rope)
      row.plain_columns = s.rope;
    for (std::int64_t r = 0; r < keys->rows; ++r) RoundCachedRow(row, keys->row(r));
  }

 private:
  bool exact_ = false;
  FastForms forms_;
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

// What an earlier token gives to attention: rows of keys, whose first columns are the values, and
// which of them a token sees.
struct Keys {
  Table rows;
  std::int64_t values = 0;                         // columns
  std::vector<std::vector<std::int64_t>> seen_by;  // per token
};

// Attention of one head; scores have the shape's deviation. (A sink, which V4 has, would shrink the
// update and its error alike.)
Table AttendHead(Table query, const Keys& keys, double deviation, const Rounding& rounding) {
  Table mixed(query.rows, keys.values);
  rounding.Paired(query.values.data(), std::ssize(query.values));
  const double scale = deviation / std::sqrt(static_cast<double>(query.columns));
  for (std::int64_t t = 0; t < query.rows; ++t) {
    const std::vector<std::int64_t>& seen = keys.seen_by[static_cast<std::size_t>(t)];
    std::vector<double> p;
    for (const std::int64_t s : seen) {
      double dot = 0;
      for (std::int64_t i = 0; i < query.columns; ++i) dot += query.row(t)[i] * keys.rows.row(s)[i];
      p.push_back(dot * scale);
    }
    const double largest = *std::max_element(p.begin(), p.end());
    for (double& weight : p) weight = std::exp(weight - largest);
    rounding.Paired(p.data(), std::ssize(p));
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (std::size_t k = 0; k < seen.size(); ++k)
      for (std::int64_t i = 0; i < keys.values; ++i)
        mixed.row(t)[i] += p[k] / total * keys.rows.row(seen[k])[i];
  }
  return mixed;
}

struct Weights {
  Table q_a, q_b, kv, o, gate, up, down;
  std::vector<Table> absorb, expand;  // latent: per head
  Table entries;                      // shared keys
  std::vector<Table> group;           // shared keys: the first half of the output projection
};

Weights RandomWeights(const LayerErrorShape& s, bool shared, Random& random) {
  const auto unit = [&random](std::int64_t out, std::int64_t in) {
    return RandomTable(random, out, in, 1 / std::sqrt(static_cast<double>(in)));
  };
  Weights w{unit(s.q_rank, s.hidden),
            unit(s.heads * (shared ? s.latent : s.nope + s.rope), s.q_rank),
            unit(shared ? s.latent : s.latent + s.rope, s.hidden),
            unit(s.hidden, shared ? s.groups * s.o_rank : s.heads * s.value),
            unit(s.width, s.hidden),
            unit(s.width, s.hidden),
            unit(s.hidden, s.width),
            {},
            {},
            Table(0, 0),
            {}};
  if (shared) {
    w.entries = unit(s.latent, s.hidden);
    for (std::int64_t g = 0; g < s.groups; ++g)
      w.group.push_back(unit(s.o_rank, s.heads / s.groups * s.latent));
    return w;
  }
  for (std::int64_t h = 0; h < s.heads; ++h) {
    w.absorb.push_back(unit(s.latent, s.nope));
    w.expand.push_back(unit(s.value, s.latent));
  }
  return w;
}

std::vector<std::int64_t> Range(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> range(static_cast<std::size_t>(end - first));
  std::iota(range.begin(), range.end(), first);
  return range;
}

Keys LatentKeys(const LayerErrorShape& s, const Weights& w, const Table& x,
                const Rounding& rounding) {
  const Table kv = Project(w.kv, x, rounding);
  Keys keys{Table(x.rows, s.latent + s.rope), s.latent, {}};
  PutColumns(Normed(Columns(kv, 0, s.latent)), 0, &keys.rows);
  PutColumns(Columns(kv, s.latent, s.rope), s.latent, &keys.rows);
  rounding.Cached(s, false, &keys.rows);
  for (std::int64_t t = 0; t < x.rows; ++t) keys.seen_by.push_back(Range(0, t + 1));
  return keys;
}

// V2 to V3.2: heads meet a latent through weights of their own (absorbed), and expand what they
// mixed.
Table LatentAttention(const LayerErrorShape& s, const Weights& w, const Table& x,
                      const Rounding& rounding) {
  const Table q = Project(w.q_b, Normed(Project(w.q_a, x, rounding)), rounding);
  const Keys keys = LatentKeys(s, w, x, rounding);
  Table heads(x.rows, s.heads * s.value);
  for (std::int64_t h = 0; h < s.heads; ++h) {
    const std::int64_t first = h * (s.nope + s.rope);
    Table query(x.rows, s.latent + s.rope);
    PutColumns(Project(w.absorb[static_cast<std::size_t>(h)], Columns(q, first, s.nope), rounding),
               0, &query);
    PutColumns(Columns(q, first + s.nope, s.rope), s.latent, &query);
    const Table mixed = AttendHead(query, keys, s.score_deviation, rounding);
    PutColumns(Project(w.expand[static_cast<std::size_t>(h)], mixed, rounding), h * s.value,
               &heads);
  }
  return Project(w.o, heads, rounding);
}

// Keys of a window, then entries that stand for the past, one a token; their compressor is f32.
Keys SharedKeys(const LayerErrorShape& s, const Weights& w, const Table& x,
                const Rounding& rounding) {
  Table window = Normed(Project(w.kv, x, rounding));
  Table entries = Normed(Project(w.entries, x, Rounding::None()));
  rounding.Cached(s, true, &window);
  rounding.Cached(s, false, &entries);
  Keys keys{Table(2 * x.rows, s.latent), s.latent, {}};
  std::copy(entries.values.begin(), entries.values.end(),
            std::copy(window.values.begin(), window.values.end(), keys.rows.values.begin()));
  for (std::int64_t t = 0; t < x.rows; ++t) {
    keys.seen_by.push_back(Range(std::max<std::int64_t>(0, t - s.window + 1), t + 1));
    const std::vector<std::int64_t> past = Range(x.rows, x.rows + t + 1);
    keys.seen_by.back().insert(keys.seen_by.back().end(), past.begin(), past.end());
  }
  return keys;
}

// V4, V4.1: all heads meet the same keys, which are the values too; what they mixed is projected by
// groups. The rotations, there and back, are left out: they are orthogonal, and the directions here
// are random.
Table SharedKeyAttention(const LayerErrorShape& s, const Weights& w, const Table& x,
                         const Rounding& rounding) {
  const Table q = Project(w.q_b, Normed(Project(w.q_a, x, rounding)), rounding);
  const Keys keys = SharedKeys(s, w, x, rounding);
  Table heads(x.rows, s.heads * s.latent);
  for (std::int64_t h = 0; h < s.heads; ++h) {
    const Table query = Normed(Columns(q, h * s.latent, s.latent));
    PutColumns(AttendHead(query, keys, s.score_deviation, rounding), h * s.latent, &heads);
  }
  Table grouped(x.rows, s.groups * s.o_rank);
  const std::int64_t width = s.heads / s.groups * s.latent;
  for (std::int64_t g = 0; g < s.groups; ++g)
    PutColumns(
        Project(w.group[static_cast<std::size_t>(g)], Columns(heads, g * width, width), rounding),
        g * s.o_rank, &grouped);
  return Project(w.o, grouped, rounding);
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
  const auto attention = weights.group.empty() ? LatentAttention : SharedKeyAttention;
  AddTo(attention(shape, weights, Normed(residual), rounding), &residual);
  AddTo(FeedForward(weights, Normed(residual), rounding), &residual);
  return residual;
}

}  // namespace

LayerErrors SimulateLayerErrors(CacheForm keys, const LayerErrorShape& shape, std::uint64_t seed) {
  Random random(seed);
  const bool shared = keys != CacheForm::kPlain && keys != CacheForm::kFp8Latent;
  const Weights weights = RandomWeights(shape, shared, random);
  const Table start = RandomTable(random, shape.tokens, shape.hidden, 1.0);
  const Table exact = RunLayer(shape, weights, start, Rounding::None());
  LayerErrors errors{};
  for (std::size_t form = 0; form < errors.size(); ++form) {
    const Rounding rounding({static_cast<ActivationForm>(form), keys});
    const Table fast = RunLayer(shape, weights, start, rounding);
    double error = 0, size = 0;
    for (std::size_t i = 0; i < start.values.size(); ++i) {
      error += (fast.values[i] - exact.values[i]) * (fast.values[i] - exact.values[i]);
      size += (exact.values[i] - start.values[i]) * (exact.values[i] - start.values[i]);
    }
    errors[form] = std::sqrt(error / size);
  }
  return errors;
}

// Half as much again as the simulation gives for peaked attention (score deviation 4): a single
// prompt of few tokens scatters around the mean that is simulated. layer_error_test.cc holds the
// two together.
double FastLayerBound(const FastForms& forms) {
  static constexpr LayerErrors kBounds[] = {
      // f32, bf16, int8 per 32, int8 per 256
      {0.0045, 0.0102, 0.0303, 0.0399},  // kPlain
      {0.0693, 0.0693, 0.0756, 0.0810},  // kFp8Latent
      {0.0713, 0.0720, 0.0761, 0.0789},  // kFp8Rope
      {0.0762, 0.0770, 0.0804, 0.0834},  // kFp8Window
      {0.2216, 0.2219, 0.2237, 0.2240},  // kFp4Entry
  };
  const auto keys = static_cast<std::size_t>(forms.keys);
  HADAL_CHECK(keys < std::size(kBounds), "attention reads no keys of this form");
  return kBounds[keys][static_cast<std::size_t>(forms.activation)];
}

}  // namespace hadal
