#include "core/analysis/table_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"

namespace qaq {
namespace {

constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

std::int32_t fitting(const std::string& column, std::int64_t number) {
  if (number > TableRows::kNothing && number <= std::numeric_limits<std::int32_t>::max()) {
    return static_cast<std::int32_t>(number);
  }
  refuse_input({.place = column,
                .what = cat(number, " is too large for a table on the screen"),
                .cure = "export the table instead"});
}

bool holds_whole(ColumnKind kind) {
  return kind == ColumnKind::integer || kind == ColumnKind::choice;
}

}  // namespace

SharedTableRows TableRows::of(const Table& table, const Work& work) {
  auto out = std::make_shared<TableRows>();
  out->columns_ = table.columns;
  out->values_.resize(table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto n = static_cast<std::size_t>(table.n_rows);
    if (holds_whole(table.columns[i].kind)) out->values_[i].whole.reserve(n);
    if (table.columns[i].kind == ColumnKind::real) out->values_[i].real.reserve(n);
    if (table.columns[i].kind == ColumnKind::text) out->values_[i].text.reserve(n);
  }
  table.for_each_row([&](std::span<const Cell> row) {
    if (out->n_rows_ % 4096 == 0) work.throw_if_stopped();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = row[i];
      Values& values = out->values_[i];
      if (holds_whole(table.columns[i].kind)) {
        const auto* number = std::get_if<std::int64_t>(&cell);
        values.whole.push_back(number ? fitting(table.columns[i].name, *number) : kNothing);
      } else if (table.columns[i].kind == ColumnKind::real) {
        const auto* number = std::get_if<float>(&cell);
        values.real.push_back(number ? *number : kNoNumber);
      } else {
        const auto* text = std::get_if<std::string>(&cell);
        values.text.push_back(text ? *text : std::string());
      }
    }
    ++out->n_rows_;
  });
  return out;
}

Cell TableRows::cell(std::int64_t row, std::size_t column) const {
  const auto at = static_cast<std::size_t>(row);
  const Values& values = values_[column];
  switch (columns_[column].kind) {
    case ColumnKind::integer:
    case ColumnKind::choice:
      if (values.whole[at] == kNothing) return {};
      return std::int64_t{values.whole[at]};
    case ColumnKind::real:
      if (std::isnan(values.real[at])) return {};
      return values.real[at];
    case ColumnKind::text:
      break;
  }
  if (values.text[at].empty()) return {};
  return values.text[at];
}

std::int32_t TableRows::whole(std::int64_t row, std::size_t column) const {
  const std::vector<std::int32_t>& numbers = values_[column].whole;
  return numbers.empty() ? kNothing : numbers[static_cast<std::size_t>(row)];
}

std::size_t TableRows::column(const std::string& name) const {
  return static_cast<std::size_t>(std::ranges::find(columns_, name, &Column::name) -
                                  columns_.begin());
}

void TableRows::sort(std::vector<std::int32_t>& rows, std::size_t column, bool descending,
                     const Work& work) const {
  const Values& values = values_[column];
  const auto by = [&](const auto& numbers, const auto& is_nothing) {
    // Those without a value last, then a sort that keeps equal ones in order.
    const auto end = std::stable_partition(rows.begin(), rows.end(), [&](std::int32_t row) {
      return !is_nothing(numbers[static_cast<std::size_t>(row)]);
    });
    work.throw_if_stopped();
    std::stable_sort(rows.begin(), end, [&](std::int32_t a, std::int32_t b) {
      const auto &x = numbers[static_cast<std::size_t>(a)],
                 &y = numbers[static_cast<std::size_t>(b)];
      return descending ? y < x : x < y;
    });
    work.throw_if_stopped();
  };
  switch (columns_[column].kind) {
    case ColumnKind::integer:
    case ColumnKind::choice:
      by(values.whole, [](std::int32_t number) { return number == kNothing; });
      break;
    case ColumnKind::real:
      by(values.real, [](float number) { return std::isnan(number); });
      break;
    case ColumnKind::text:
      by(values.text, [](const std::string& text) { return text.empty(); });
      break;
  }
}

RowPlaces::RowPlaces(SharedTableRows rows, std::int32_t group_size)
    : rows_(std::move(rows)),
      group_size_(group_size),
      cache_(rows_->column("cache")),
      layer_(rows_->column("layer")),
      kv_head_(rows_->column("kv_head")),
      head_(rows_->column("head")),
      token_(rows_->column("token")),
      step_(rows_->column("step")),
      channel_(rows_->column("channel")) {}

std::int32_t RowPlaces::kv_head(std::int64_t row) const {
  if (kv_head_ < rows_->columns().size()) return number(row, kv_head_);
  const std::int32_t head = number(row, head_);
  return head == TableRows::kNothing ? head : head / group_size_;
}

RowPlace RowPlaces::at(std::int64_t row) const {
  return {.cache = number(row, cache_),
          .layer = number(row, layer_),
          .kv_head = kv_head(row),
          .token = number(row, token_),
          .step = number(row, step_),
          .channel = number(row, channel_)};
}

bool RowPlaces::is_about(std::int64_t row, const RowPlace& place) const {
  // Tokens differ most often.
  const std::int32_t token = number(row, token_);
  const auto agree = [](std::int32_t a, std::int32_t b) {
    return a == TableRows::kNothing || b == TableRows::kNothing || a == b;
  };
  if (!agree(token, place.token)) return false;
  const RowPlace here = at(row);
  const bool says_where = here.token != TableRows::kNothing || here.layer != TableRows::kNothing ||
                          here.step != TableRows::kNothing;
  return says_where && agree(here.cache, place.cache) && agree(here.layer, place.layer) &&
         agree(here.kv_head, place.kv_head) && agree(here.step, place.step) &&
         agree(here.channel, place.channel);
}

bool RowPlaces::passes(std::int64_t row, const SelectionSet& filter,
                       const std::vector<std::int32_t>& layers) const {
  const RowPlace here = at(row);
  if (here.token == TableRows::kNothing) return true;
  if (!filter.contains_token(here.token)) return false;
  const auto layer = captured_index(layers, here.layer);
  if (!layer || here.kv_head == TableRows::kNothing) return true;
  return filter.contains(*layer, here.kv_head, here.token);
}

Table table_of_rows(SharedTableRows rows, std::vector<std::int32_t> order) {
  Table table;
  table.columns = rows->columns();
  table.n_rows = std::ssize(order);
  table.for_each_row = [rows = std::move(rows), order = std::move(order)](const RowSink& sink) {
    std::vector<Cell> cells(rows->columns().size());
    for (const std::int32_t row : order) {
      for (std::size_t column = 0; column < cells.size(); ++column) {
        cells[column] = rows->cell(row, column);
      }
      sink(cells);
    }
  };
  return table;
}

}  // namespace qaq
