#include "core/analysis/table_text.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/text.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

template <class Number>
void put(std::ostream& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.write(digits.data(), end - digits.data());
}

void put_json(std::ostream& out, const std::string& text, char) {
  out << Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// RFC 4180: quotation marks around what would be read as several cells.
void put_separated(std::ostream& out, const std::string& text, char separator) {
  if (text.find_first_of(std::string{separator, '"', '\n', '\r'}) == std::string::npos) {
    out << text;
    return;
  }
  out << '"';
  for (const char c : text) out << (c == '"' ? "\"\"" : std::string(1, c));
  out << '"';
}

void put_markdown(std::ostream& out, const std::string& text, char) {
  for (const char c : text) {
    if (c == '|') out << '\\';
    out << (c == '\n' || c == '\r' ? ' ' : c);
  }
}

// How a format writes texts and what is not there.
struct Style {
  void (*put_text)(std::ostream& out, const std::string& text, char separator);
  const char* nothing;
  char separator = ',';
};

void put_cell(std::ostream& out, const Column& column, const Cell& cell, const Style& style) {
  if (const auto* number = std::get_if<float>(&cell)) {
    put(out, *number);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    style.put_text(out, *text, style.separator);
  } else if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (column.kind == ColumnKind::choice) {
      style.put_text(out, std::string(column.choices.at(static_cast<std::size_t>(*integer))),
                     style.separator);
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
  write_lines(table, out, {put_separated, ""}, work);
}

void write_tsv(const Table& table, std::ostream& out, const Work& work) {
  write_lines(table, out, {put_separated, "", '\t'}, work);
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
    put_row(out, table, row, {put_json, "null"});
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
        out << short_text(*number);
      } else {
        put_cell(out, table.columns[i], row[i], {put_markdown, "-"});
      }
      out << " |";
    }
    out << '\n';
  });
}

}  // namespace qaq
