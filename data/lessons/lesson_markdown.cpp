#include "data/lessons/lesson_markdown.h"

#include <algorithm>
#include <sstream>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

}  // namespace

LessonMarkdown parse_lesson_markdown(const std::string& file, const std::string& text) {
  LessonMarkdown out;
  std::string* into = nullptr;
  int number = 0;
  const auto refuse = [&](const std::string& what, const std::string& cure) {
    refuse_input({.file = file, .place = cat("line ", number), .what = what, .cure = cure});
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("# ")) {
      if (!out.title.empty()) refuse("is a second title", "begin steps with ##");
      out.title = trimmed(line.substr(2));
      into = nullptr;
    } else if (line.starts_with("## ")) {
      const std::string heading = trimmed(line.substr(3));
      const std::size_t colon = std::min(heading.find(':'), heading.size());
      LessonMarkdown::Section section{.id = trimmed(heading.substr(0, colon))};
      if (colon < heading.size()) section.title = trimmed(heading.substr(colon + 1));
      section.line = number;
      if (std::ranges::find(out.sections, section.id, &LessonMarkdown::Section::id) !=
          out.sections.end()) {
        refuse(cat("is a second section '", section.id, "'"), "give each step one");
      }
      out.sections.push_back(std::move(section));
      into = &out.sections.back().body;
    } else if (line.starts_with("### ")) {
      if (out.sections.empty()) refuse("belongs to no step", "put it below a ##");
      const std::string part = trimmed(line.substr(4));
      if (part != "question" && part != "why") {
        refuse(cat("'", part, "' is no part of a step"), "write ### question or ### why");
      }
      into = part == "why" ? &out.sections.back().why : &out.sections.back().question;
    } else if (into) {
      *into += line + '\n';
    } else if (!trimmed(line).empty()) {
      refuse("belongs to no step", "put it below a ##");
    }
  }
  number = 1;
  if (out.title.empty()) refuse("there is no title", "begin with # NUMBER TITLE");
  for (LessonMarkdown::Section& section : out.sections) {
    for (std::string* part : {&section.body, &section.question, &section.why}) {
      *part = trimmed(*part);
    }
  }
  return out;
}

}  // namespace qaq
