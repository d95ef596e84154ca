#pragma once

#include <string>
#include <vector>

#include "core/analysis/lesson.h"

namespace qaq {

/// Names of the bundled lessons, in their order: "01-cache".
std::vector<std::string> lesson_names();

/// A bundled lesson by its name, number or title (find_lesson()). Throws Error{usage} where there
/// is none.
Lesson read_lesson(const std::string& name);

/// Reads a lesson from its two files. NAME.json says what it does:
///
///   {"format": "qaq-lesson", "version": 1, "capture": "letter", "comparison_from": "rate",
///    "steps": [{"id": "size", "do": ["layer 14"], "highlight": ["bits"], "picture": "bits",
///    "chart": "window",
///               "done_when": [{"layer": 14}, {"parameter": "value.n_bits_max", "equals": 2}],
///               "question": {"choices": ["16 MiB", "512 MiB"], "answer": "{{...}}"}}]}
///
/// and NAME.md what it says (lesson_markdown.h). Every step has a section and every section a step.
/// Throws Error{input} with file and place: a key that is not known (with the nearest), a parameter
/// that does not exist or a value out of its range, a step without its text.
Lesson parse_lesson(const std::string& name, const std::string& json, const std::string& markdown);

}  // namespace qaq
