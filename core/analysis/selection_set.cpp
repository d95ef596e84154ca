#include "core/analysis/selection_set.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <map>
#include <utility>

namespace qaq {
namespace {

using Bits = std::vector<std::uint64_t>;

std::size_t n_words(std::int32_t n_tokens) {
  return (static_cast<std::size_t>(n_tokens) + 63) / 64;
}

bool has(const Bits& bits, std::int32_t token) {
  return (bits[static_cast<std::size_t>(token) / 64] >> (token % 64) & 1) != 0;
}

void put(Bits& bits, TokenRange range, std::int32_t n_tokens) {
  range.first = std::max(range.first, 0);
  range.last = std::min(range.last, n_tokens - 1);
  for (std::int32_t token = range.first; token <= range.last; ++token) {
    bits[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (token % 64);
  }
}

std::int64_t count(const Bits& bits) {
  std::int64_t n = 0;
  for (const std::uint64_t word : bits) n += std::popcount(word);
  return n;
}

std::uint64_t apply(SelectOp op, std::uint64_t a, std::uint64_t b) {
  switch (op) {
    case SelectOp::replace:
      return b;
    case SelectOp::add:
      return a | b;
    case SelectOp::intersect:
      return a & b;
    case SelectOp::remove:
      return a & ~b;
    case SelectOp::toggle:
      return a ^ b;
  }
  return b;
}

// Nothing where no token is left, so that empty rows look the same.
std::shared_ptr<const Bits> shared(Bits bits) {
  if (std::all_of(bits.begin(), bits.end(), [](std::uint64_t word) { return word == 0; })) {
    return nullptr;
  }
  return std::make_shared<const Bits>(std::move(bits));
}

}  // namespace

SelectionSet::SelectionSet(const SelectionShape& shape)
    : shape_(shape), rows_(static_cast<std::size_t>(shape.n_rows())) {}

SelectionSet SelectionSet::of_tokens(const SelectionShape& shape,
                                     const std::vector<TokenRange>& tokens) {
  SelectionSet out(shape);
  Bits bits(n_words(shape.n_tokens));
  for (const TokenRange& range : tokens) put(bits, range, shape.n_tokens);
  std::fill(out.rows_.begin(), out.rows_.end(), shared(std::move(bits)));
  return out;
}

SelectionSet SelectionSet::of_tokens(const SelectionShape& shape,
                                     const std::vector<std::int32_t>& tokens) {
  std::vector<TokenRange> ranges;
  for (const std::int32_t token : tokens) ranges.push_back({token, token});
  return of_tokens(shape, ranges);
}

SelectionSet SelectionSet::of_boxes(const SelectionShape& shape,
                                    const std::vector<SelectionBox>& boxes) {
  SelectionSet out(shape);
  for (const SelectionBox& box : boxes) {
    Bits bits(n_words(shape.n_tokens));
    put(bits, box.tokens, shape.n_tokens);
    SelectionSet one(shape);
    const SharedBits row = shared(std::move(bits));
    for (std::int32_t r = std::max(0, box.first_row);
         r <= std::min(box.last_row, shape.n_rows() - 1); ++r) {
      one.rows_[static_cast<std::size_t>(r)] = row;
    }
    out = out.combined(SelectOp::add, one);
  }
  return out;
}

SelectionSet SelectionSet::all(const SelectionShape& shape) {
  return of_tokens(shape, std::vector<TokenRange>{{0, shape.n_tokens - 1}});
}

bool SelectionSet::empty() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const SharedBits& row) { return !row; });
}

bool SelectionSet::contains(std::int32_t layer, std::int32_t kv_head, std::int32_t token) const {
  if (layer < 0 || layer >= shape_.n_layers || kv_head < 0 || kv_head >= shape_.n_kv_heads ||
      token < 0 || token >= shape_.n_tokens) {
    return false;
  }
  const SharedBits& row = rows_[static_cast<std::size_t>(layer * shape_.n_kv_heads + kv_head)];
  return row && has(*row, token);
}

bool SelectionSet::contains_token(std::int32_t token) const {
  if (token < 0 || token >= shape_.n_tokens) return false;
  return std::any_of(rows_.begin(), rows_.end(),
                     [token](const SharedBits& row) { return row && has(*row, token); });
}

bool SelectionSet::is_of_tokens() const {
  return std::all_of(rows_.begin(), rows_.end(), [this](const SharedBits& row) {
    return row == rows_.front() || (row && rows_.front() && *row == *rows_.front());
  });
}

std::int64_t SelectionSet::n_cells() const {
  std::int64_t n = 0;
  for (const SharedBits& row : rows_) n += row ? count(*row) : 0;
  return n;
}

SelectionSet::SharedBits SelectionSet::any_row() const {
  Bits all(n_words(shape_.n_tokens));
  const Bits* last = nullptr;
  for (const SharedBits& row : rows_) {
    if (!row || row.get() == last) continue;
    last = row.get();
    for (std::size_t word = 0; word < all.size(); ++word) all[word] |= (*row)[word];
  }
  return shared(std::move(all));
}

std::int64_t SelectionSet::n_tokens() const {
  const SharedBits any = any_row();
  return any ? count(*any) : 0;
}

std::vector<TokenRange> SelectionSet::tokens(std::int32_t row) const {
  std::vector<TokenRange> out;
  if (row != kAnyRow && (row < 0 || row >= shape_.n_rows())) return out;
  const SharedBits bits = row == kAnyRow ? any_row() : rows_[static_cast<std::size_t>(row)];
  if (!bits) return out;
  for (std::int32_t token = 0; token < shape_.n_tokens; ++token) {
    if (!has(*bits, token)) continue;
    if (!out.empty() && out.back().last == token - 1) {
      out.back().last = token;
    } else {
      out.push_back({token, token});
    }
  }
  return out;
}

std::vector<SelectionBox> SelectionSet::boxes() const {
  std::vector<SelectionBox> out;
  for (std::int32_t row = 0; row < shape_.n_rows();) {
    const SharedBits& bits = rows_[static_cast<std::size_t>(row)];
    std::int32_t last = row;
    const auto same = [&](const SharedBits& other) {
      return bits == other || (bits && other && *bits == *other);
    };
    while (last + 1 < shape_.n_rows() && same(rows_[static_cast<std::size_t>(last + 1)])) ++last;
    for (const TokenRange& range : tokens(row)) out.push_back({range, row, last});
    row = last + 1;
  }
  return out;
}

SelectionSet SelectionSet::combined(SelectOp op, const SelectionSet& other) const {
  assert(shape_ == other.shape_);
  SelectionSet out(shape_);
  // Rows that share their bits are combined once.
  std::map<std::pair<const Bits*, const Bits*>, SharedBits> done;
  const Bits none(n_words(shape_.n_tokens));
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const SharedBits &a = rows_[row], &b = other.rows_[row];
    const auto [at, is_new] = done.try_emplace({a.get(), b.get()});
    if (is_new) {
      Bits bits(none.size());
      for (std::size_t word = 0; word < bits.size(); ++word) {
        bits[word] = apply(op, a ? (*a)[word] : 0, b ? (*b)[word] : 0);
      }
      at->second = shared(std::move(bits));
    }
    out.rows_[row] = at->second;
  }
  return out;
}

bool operator==(const SelectionSet& a, const SelectionSet& b) {
  if (!(a.shape_ == b.shape_)) return false;
  for (std::size_t row = 0; row < a.rows_.size(); ++row) {
    const auto &x = a.rows_[row], &y = b.rows_[row];
    if (x != y && (!x || !y || *x != *y)) return false;
  }
  return true;
}

}  // namespace qaq
