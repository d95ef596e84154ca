#include "core/analysis/report_page.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace qaq {
namespace {

using Kind = PageBlock::Kind;

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// What Markdown would read as more than text, made text; lines are joined.
std::string markdown_text(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]<>#|!&~";
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  // A list or a rule begins with these.
  if (!out.empty() && (out[0] == '-' || out[0] == '+' || out[0] == '=')) out.insert(0, 1, '\\');
  return out;
}

std::string indented(std::string_view text) {
  std::string out = "    ";
  for (const char c : text) {
    if (c == '\r') continue;
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

// Columns of numbers end alike: nothing but a sign, digits, a point, or what says that there is
// none.
std::vector<bool> numeric_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> out(rows.empty() ? 0 : rows[0].size(), rows.size() > 1);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    for (std::size_t column = 0; column < std::min(out.size(), rows[i].size()); ++column) {
      const std::string& cell = rows[i][column];
      if (cell.find_first_not_of("-<+.e0123456789") != std::string::npos) out[column] = false;
    }
  }
  return out;
}

std::string markdown_table(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  const std::vector<bool> numeric = numeric_columns(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += '|';
    for (const std::string& cell : rows[i]) out += " " + markdown_text(cell) + " |";
    out += '\n';
    if (i > 0) continue;
    out += '|';
    for (std::size_t column = 0; column < rows[0].size(); ++column)
      out += numeric[column] ? "---:|" : "---|";
    out += '\n';
  }
  return out;
}

std::string html_table(const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table>\n";
  const std::vector<bool> numeric = numeric_columns(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const char* tag = i == 0 ? "th" : "td";
    out += "<tr>";
    for (std::size_t column = 0; column < rows[i].size(); ++column) {
      const bool ends = column < numeric.size() && numeric[column];
      out +=
          cat("<", tag, ends ? " class=\"n\">" : ">", html_text(rows[i][column]), "</", tag, ">");
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::string no_picture(const PagePicture& picture) {
  return cat("(no figure \"", picture.title, "\": ", picture.why_not, ")");
}

std::string markdown_of(const PageBlock& block) {
  std::string out;
  switch (block.kind) {
    case Kind::heading:
      return "## " + markdown_text(block.text) + "\n";
    case Kind::paragraph:
      return markdown_text(block.text) + "\n";
    case Kind::list:
      for (const std::string& item : block.items) out += "* " + markdown_text(item) + "\n";
      return out;
    case Kind::table:
      return markdown_table(block.rows);
    case Kind::code:
      return indented(block.text) + "\n";
    case Kind::picture:
      if (block.picture.png.empty()) return markdown_text(no_picture(block.picture)) + "\n";
      // In brackets a name may hold spaces and parentheses.
      std::string file = block.picture.file;
      std::erase_if(file, [](char c) { return c == '<' || c == '>' || c == '\n'; });
      return cat("![", markdown_text(block.picture.title), "](<", file, ">)\n");
  }
  return out;
}

std::string html_of(const PageBlock& block) {
  std::string out;
  switch (block.kind) {
    case Kind::heading:
      return cat("<h2>", html_text(block.text), "</h2>\n");
    case Kind::paragraph:
      return cat("<p>", html_text(block.text), "</p>\n");
    case Kind::list:
      out = "<ul>\n";
      for (const std::string& item : block.items) out += cat("<li>", html_text(item), "</li>\n");
      return out + "</ul>\n";
    case Kind::table:
      return html_table(block.rows);
    case Kind::code:
      return cat("<pre>", html_text(block.text), "</pre>\n");
    case Kind::picture:
      if (block.picture.png.empty()) {
        return cat("<p class=\"none\">", html_text(no_picture(block.picture)), "</p>\n");
      }
      return cat("<img alt=\"", html_text(block.picture.title), "\" src=\"data:image/png;base64,",
                 base64(block.picture.png), "\">\n");
  }
  return out;
}

}  // namespace

void Page::heading(const std::string& text) { blocks.push_back({Kind::heading, text}); }
void Page::paragraph(const std::string& text) { blocks.push_back({Kind::paragraph, text}); }
void Page::list(std::vector<std::string> items) {
  blocks.push_back({.kind = Kind::list, .items = std::move(items)});
}
void Page::table(std::vector<std::vector<std::string>> rows) {
  blocks.push_back({.kind = Kind::table, .rows = std::move(rows)});
}
void Page::code(const std::string& text) { blocks.push_back({Kind::code, text}); }
void Page::picture(PagePicture picture) {
  blocks.push_back({.kind = Kind::picture, .picture = std::move(picture)});
}

std::string page_markdown(const Page& page) {
  std::string out = cat("# ", markdown_text(page.title), "\n");
  for (const PageBlock& block : page.blocks) out += "\n" + markdown_of(block);
  return out;
}

std::string html_frame(const std::string& title, const std::string& body) {
  return cat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
      html_text(title),
      "</title>\n<style>\nbody{font:15px/1.5 \"DejaVu Sans\",\"Noto Sans\",sans-serif;"
      "max-width:60em;margin:2em auto;padding:0 1em}\nh2{margin-top:1.6em}\n"
      "table{border-collapse:collapse}\nth,td{border:1px solid #999;padding:.2em .5em;"
      "text-align:left;vertical-align:top}\n.n{text-align:right;white-space:nowrap}\n"
      "pre{background:#f3f3f3;padding:.6em;white-space:pre-wrap;overflow-wrap:anywhere}\n"
      "img{max-width:100%;height:auto}\n.none{color:#666}\n"
      "ol.choices{list-style:upper-alpha}\n@media print{h2,img{break-inside:avoid}}\n"
      "</style>\n</head>\n<body>\n<h1>",
      html_text(title), "</h1>\n", body, "</body>\n</html>\n");
}

std::string page_html(const Page& page) {
  std::string body;
  for (const PageBlock& block : page.blocks) body += html_of(block);
  return html_frame(page.title, body);
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view kSigns =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kSigns[word >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

}  // namespace qaq
