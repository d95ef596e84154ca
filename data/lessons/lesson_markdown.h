#pragma once

#include <string>
#include <vector>

namespace qaq {

/// The texts of a lesson:
///
///   # 5 From error budget to bits
///   ## budget: The error budget
///   Text of the step "budget", Markdown.
///   ### question
///   What is asked.
///   ### why
///   Why the right choice is right.
///   ## comparison
///   What the paper reports, what is found here, and what differs.
struct LessonMarkdown {
  struct Section {
    std::string id;
    std::string title{};
    std::string body{};
    std::string question{}, why{};
    int line = 0;  ///< of its heading, from 1
  };
  std::string title;
  std::vector<Section> sections;
};

/// Throws Error{input} with file and line.
LessonMarkdown parse_lesson_markdown(const std::string& file, const std::string& text);

}  // namespace qaq
