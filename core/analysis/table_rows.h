#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/analysis/selection_set.h"
#include "core/analysis/table.h"
#include "core/base/progress.h"

namespace qaq {

/// The rows of a table, kept by column so that millions of them can be looked at in any order:
/// four bytes a number. Immutable.
class TableRows {
 public:
  /// Makes all rows of `table`. Throws Error{interrupted} when stopped, Error{input} where a whole
  /// number does not fit 32 bits.
  static std::shared_ptr<const TableRows> of(const Table& table, const Work& work = {});

  const std::vector<Column>& columns() const { return columns_; }
  std::int64_t n_rows() const { return n_rows_; }
  Cell cell(std::int64_t row, std::size_t column) const;
  /// The whole number, or kNothing where there is none or the column holds no whole numbers.
  static constexpr std::int32_t kNothing = INT32_MIN;
  std::int32_t whole(std::int64_t row, std::size_t column) const;
  /// Place of the column of that name; columns().size() where there is none.
  std::size_t column(const std::string& name) const;

  /// Rows in ascending or descending order of a column; equal ones keep their order, and those
  /// without a value come last either way.
  void sort(std::vector<std::int32_t>& rows, std::size_t column, bool descending,
            const Work& work = {}) const;

 private:
  struct Values {
    std::vector<std::int32_t> whole;  ///< also of choices
    std::vector<float> real;          ///< NaN: nothing
    std::vector<std::string> text;
  };

  std::vector<Column> columns_;
  std::vector<Values> values_;
  std::int64_t n_rows_ = 0;
};
using SharedTableRows = std::shared_ptr<const TableRows>;

/// What a row is about, where columns named layer (the model's), kv_head, head, token, step,
/// channel and cache say so.
struct RowPlace {
  std::int32_t cache = TableRows::kNothing;  ///< 0 key, 1 value
  std::int32_t layer = TableRows::kNothing;
  std::int32_t kv_head = TableRows::kNothing;
  std::int32_t token = TableRows::kNothing;
  std::int32_t step = TableRows::kNothing;
  std::int32_t channel = TableRows::kNothing;
};

/// Finds the columns once. A column `head` of query heads counts as kv_head = head / group_size
/// where there is no column kv_head.
class RowPlaces {
 public:
  RowPlaces(SharedTableRows rows, std::int32_t group_size);

  RowPlace at(std::int64_t row) const;
  /// Whether the row is about `place`: every coordinate that both have is the same. Nothing is
  /// about a place where the row has neither token nor layer nor step.
  bool is_about(std::int64_t row, const RowPlace& place) const;
  /// Whether a filter lets the row through: a cell, or any cell of the coordinates that the row
  /// lacks. `layers` are the model's numbers of the captured layers.
  bool passes(std::int64_t row, const SelectionSet& filter,
              const std::vector<std::int32_t>& layers) const;

 private:
  std::int32_t number(std::int64_t row, std::size_t column) const {
    return column < rows_->columns().size() ? rows_->whole(row, column) : TableRows::kNothing;
  }
  std::int32_t kv_head(std::int64_t row) const;

  SharedTableRows rows_;
  std::int32_t group_size_;
  std::size_t cache_, layer_, kv_head_, head_, token_, step_, channel_;
};

/// The rows of `order`, as a table again.
Table table_of_rows(SharedTableRows rows, std::vector<std::int32_t> order);

}  // namespace qaq
