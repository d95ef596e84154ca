#pragma once

#include <string>
#include <vector>

namespace qaq {

/// A picture of a page: its PNG bytes, and the file that a page which does not embed it names. Or
/// why there is none.
struct PagePicture {
  std::string title;
  std::string png{}, file{};
  std::string why_not{};
};

/// A part of a page, in plain text: writers escape it.
struct PageBlock {
  enum class Kind { heading, paragraph, list, table, code, picture };
  Kind kind = Kind::paragraph;
  std::string text{};                            ///< heading, paragraph; code: lines
  std::vector<std::string> items{};              ///< list
  std::vector<std::vector<std::string>> rows{};  ///< table; the first is its head
  PagePicture picture{};
};

/// A page that can be written in two ways.
struct Page {
  std::string title;
  std::vector<PageBlock> blocks{};

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void list(std::vector<std::string> items);
  void table(std::vector<std::vector<std::string>> rows);
  void code(const std::string& text);
  void picture(PagePicture picture);
};

/// CommonMark; pictures as files beside it.
std::string page_markdown(const Page& page);
/// One HTML file that needs no other: pictures and styles in it, and no script.
std::string page_html(const Page& page);

/// An HTML file of a title, which is text, and a body, which is HTML.
std::string html_frame(const std::string& title, const std::string& body);

/// RFC 4648, with padding.
std::string base64(const std::string& bytes);

}  // namespace qaq
