#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace qaq::scope {

/// `qaq-scope lesson list`, `qaq-scope lesson NAME --export F.html`: a hand-out of one file, made
/// of what the window says and shows at every step.
struct LessonOptions {
  std::string name;
  std::string output;
  bool noAnswers = false;
};

CLI::App* addLesson(CLI::App& program, LessonOptions& options);

/// Needs a QApplication. Throws Error.
void runLesson(const LessonOptions& options);

}  // namespace qaq::scope
