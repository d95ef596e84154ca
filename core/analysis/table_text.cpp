#include "core/analysis/table_text.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

template <class Number>
void put(std::ostream& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.write(digits.data(), end - digits.data());
}

// How the two formats tell texts and what is not there.
struct Style {
  const char* quote;
  const char* nothing;
  char separator = ',';
};

// In quotation marks a text is one of JSON's, with its escapes.
void put_text(std::ostream& out, const std::string& text, const Style& style) {
  if (*style.quote == '\0') {
    out << text;
  } else {
    out << Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

void put_cell(std::ostream& out, const Column& column, const Cell& cell, const Style& style) {
  if (const auto* number = std::get_if<float>(&cell)) {
    put(out, *number);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    put_text(out, *text, style);
  } else if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (column.kind == ColumnKind::choice) {
      out << style.quote << column.choices.at(static_cast<std::size_t>(*integer)) << style.quote;
    } else {
      put(out, *integer);
    }
  } else {
    out << style.nothing;
  }
}

void put_row(std::ostream& out, const Table& table, std::span<const Cell> row, const Style& style) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out << style.separator;
    put_cell(out, table.columns[i], row[i], style);
  }
}

Json columns_json(const Table& table) {
  Json columns = Json::array();
  for (const Column& column : table.columns) {
    Json one{{"name", column.name}};
    if (!column.unit.empty()) one["unit"] = column.unit;
    columns.push_back(std::move(one));
  }
  return columns;
}

void write_lines(const Table& table, std::ostream& out, const Style& style, const Work& work) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    if (i > 0) out << style.separator;
    out << column.name;
    if (!column.unit.empty()) out << " [" << column.unit << ']';
  }
  out << '\n';
  table.for_each_row([&](std::span<const Cell> row) {
    work.throw_if_stopped();
    put_row(out, table, row, style);
    out << '\n';
  });
}

}  // namespace

void write_csv(const Table& table, std::ostream& out, const Work& work) {
  write_lines(table, out, {"", ""}, work);
}

void write_tsv(const Table& table, std::ostream& out, const Work& work) {
  write_lines(table, out, {"", "", '\t'}, work);
}

void write_json(const Table& table, const Json& head, std::ostream& out, const Work& work) {
  Json document = head;
  document["columns"] = columns_json(table);
  std::string text = document.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();  // the brace that closes the document, until its rows are written
  out << text << ",\"rows\":[";
  bool first = true;
  table.for_each_row([&](std::span<const Cell> row) {
    work.throw_if_stopped();
    out << (first ? "\n[" : ",\n[");
    put_row(out, table, row, {"\"", "null"});
    out << ']';
    first = false;
  });
  out << "\n]}\n";
}

void write_markdown(const Table& table, std::ostream& out) {
  out << '|';
  for (const Column& column : table.columns) {
    out << ' ' << column.name;
    if (!column.unit.empty() && column.unit != "1") out << " [" << column.unit << ']';
    out << " |";
  }
  out << "\n|";
  for (const Column& column : table.columns) {
    const bool number = column.kind == ColumnKind::integer || column.kind == ColumnKind::real;
    out << (number ? "--:|" : "---|");
  }
  out << '\n';
  table.for_each_row([&](std::span<const Cell> row) {
    out << '|';
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << ' ';
      if (const auto* number = std::get_if<float>(&row[i])) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.4g", static_cast<double>(*number));
        out << text.data();
      } else {
        put_cell(out, table.columns[i], row[i], {"", "-"});
      }
      out << " |";
    }
    out << '\n';
  });
}

}  // namespace qaq
