// Metadata: a typed, immutable key/value tree with views into its source. config.json,
// tokenizer.json, chat messages and GGUF headers are all read into it, so that one parser of each
// meaning (ModelSpec, Tokenizer, prompt encodings) serves every container.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace hadal {

// One node. Cheap to copy by reference only; children live in the owning MetadataDocument.
// Object members keep the order of the source (prompt encodings depend on it). Where a key occurs
// twice, the last one counts, as JSON readers do.
class Metadata {
 public:
  struct Member;
  using Array = std::vector<Metadata>;
  using Object = std::vector<Member>;

  Metadata() = default;
  explicit Metadata(bool value) : value_(value) {}
  explicit Metadata(std::int64_t value) : value_(value) {}
  explicit Metadata(std::uint64_t value);  // beyond int64: kept as unsigned
  explicit Metadata(double value) : value_(value) {}
  explicit Metadata(std::string_view value) : value_(value) {}
  explicit Metadata(Array value);
  explicit Metadata(Object value);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const {
    return std::holds_alternative<std::int64_t>(value_) ||
           std::holds_alternative<std::uint64_t>(value_);
  }
  bool is_real() const { return std::holds_alternative<double>(value_); }
  bool is_number() const { return is_integer() || is_real(); }
  bool is_string() const { return std::holds_alternative<std::string_view>(value_); }
  bool is_array() const { return std::holds_alternative<std::shared_ptr<const Array>>(value_); }
  bool is_object() const { return std::holds_alternative<std::shared_ptr<const Index>>(value_); }

  // Typed reads; nothing where the kind differs. A real with an integral value reads as an integer
  // and every integer reads as a real, since writers of configs mix the two.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<std::uint64_t> unsigned_integer() const;
  std::optional<double> real() const;
  std::optional<std::string_view> string() const;
  std::span<const Metadata> items() const;  // of an array; empty otherwise
  std::span<const Member> members() const;  // of an object; empty otherwise

  // The member of an object, or nullptr. Logarithmic in the number of members.
  const Metadata* Find(std::string_view key) const;
  // Find, but a member that is null counts as absent.
  const Metadata* FindNonNull(std::string_view key) const;

  // "an object", "the string \"abc\"", ... for messages.
  std::string Describe() const;

 private:
  struct Index;  // members and the order of their keys
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string_view,
               std::shared_ptr<const Array>, std::shared_ptr<const Index>>
      value_;
};

struct Metadata::Member {
  std::string_view key;
  Metadata value;
};

// A tree and what keeps its strings alive. Copies share both; any thread may read.
class MetadataDocument {
 public:
  MetadataDocument() = default;
  MetadataDocument(Metadata root, std::shared_ptr<const void> storage)
      : root_(std::move(root)), storage_(std::move(storage)) {}
  const Metadata& root() const { return root_; }

 private:
  Metadata root_;
  std::shared_ptr<const void> storage_;
};

// Stores strings for the life of a document; views stay valid when it grows.
class StringArena {
 public:
  std::string_view Add(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_bytes_ = 0;
  char* next_ = nullptr;
};

}  // namespace hadal
