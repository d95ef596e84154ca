#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qaq {

/// Tokens [first, last], both included.
struct TokenRange {
  std::int32_t first = 0;
  std::int32_t last = 0;
  friend bool operator==(const TokenRange&, const TokenRange&) = default;
};

/// What a set of cells lies in: (n_layers, n_kv_heads, T), of the captured layers.
struct SelectionShape {
  std::int32_t n_layers = 0;
  std::int32_t n_kv_heads = 0;
  std::int32_t n_tokens = 0;
  std::int32_t n_rows() const { return n_layers * n_kv_heads; }
  friend bool operator==(const SelectionShape&, const SelectionShape&) = default;
};

/// A rectangle of cells: tokens of some rows, row = layer index * n_kv_heads + KV head. What lies
/// outside a set's shape is left out.
struct SelectionBox {
  TokenRange tokens;
  std::int32_t first_row = 0;
  std::int32_t last_row = 0;
  friend bool operator==(const SelectionBox&, const SelectionBox&) = default;
};

/// How a new set of cells changes the selected one.
enum class SelectOp { replace, add, intersect, remove, toggle };

/// A set of cells (layer, KV head, token): one bit each. A value: copies share the bits of their
/// rows, and rows with the same tokens share theirs, so that a set of tokens in every layer and
/// head costs one bit a token.
class SelectionSet {
 public:
  SelectionSet() = default;
  /// Empty.
  explicit SelectionSet(const SelectionShape& shape);
  /// `tokens` in every layer and KV head.
  static SelectionSet of_tokens(const SelectionShape& shape, const std::vector<TokenRange>& tokens);
  static SelectionSet of_tokens(const SelectionShape& shape,
                                const std::vector<std::int32_t>& tokens);
  static SelectionSet of_boxes(const SelectionShape& shape, const std::vector<SelectionBox>& boxes);
  static SelectionSet all(const SelectionShape& shape);

  const SelectionShape& shape() const { return shape_; }
  bool empty() const;
  bool contains(std::int32_t layer, std::int32_t kv_head, std::int32_t token) const;
  /// Whether any layer and KV head holds the token.
  bool contains_token(std::int32_t token) const;
  /// Whether every row has the same tokens.
  bool is_of_tokens() const;
  std::int64_t n_cells() const;
  /// Tokens of a row, ascending; of any row where `row` is kAnyRow.
  static constexpr std::int32_t kAnyRow = -1;
  std::vector<TokenRange> tokens(std::int32_t row = kAnyRow) const;
  std::int64_t n_tokens() const;
  /// The set as rectangles that do not overlap: neighbouring rows with the same tokens are one.
  /// of_boxes() makes the same set of them.
  std::vector<SelectionBox> boxes() const;

  /// Cells of both shapes must agree.
  SelectionSet combined(SelectOp op, const SelectionSet& other) const;

  friend bool operator==(const SelectionSet& a, const SelectionSet& b);

 private:
  using Bits = std::vector<std::uint64_t>;  ///< bit t % 64 of word t / 64; those behind T are 0
  using SharedBits = std::shared_ptr<const Bits>;

  SharedBits any_row() const;

  SelectionShape shape_;
  std::vector<SharedBits> rows_;  ///< null: no token
};

/// A set with a name.
struct NamedSlice {
  std::string name;
  SelectionSet cells;
  bool automatic = false;  ///< made by an analysis
  std::string help{};      ///< what an automatic one holds, and why
};

}  // namespace qaq
