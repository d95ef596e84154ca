#include "core/analysis/lesson_numbers.h"

#include <algorithm>
#include <utility>

#include "core/analysis/lesson_call.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::vector<KnownNumber> known_numbers() {
  std::vector<KnownNumber> out;
  for (const auto& family : {formula_numbers(), capture_numbers(), result_numbers()}) {
    out.insert(out.end(), family.begin(), family.end());
  }
  return out;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \n") - first + 1));
}

}  // namespace

LessonNumber lesson_number(std::string_view call, const LessonData& data, const Work& work) {
  const std::string text = trimmed(call);
  const std::size_t open = std::min(text.find('('), text.size());
  const std::string name = trimmed(std::string_view(text).substr(0, open));
  std::vector<std::string> arguments;
  if (open < text.size()) {
    if (!text.ends_with(')')) refuse_lesson(text, "has no closing bracket", "end it with )");
    std::string_view rest = std::string_view(text).substr(open + 1, text.size() - open - 2);
    while (!trimmed(rest).empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      arguments.push_back(trimmed(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  const auto all = known_numbers();
  const auto known = std::ranges::find(all, name, &KnownNumber::name);
  if (known == all.end()) {
    std::vector<std::string> names;
    for (const KnownNumber& each : all) names.emplace_back(each.name);
    const auto nearest = nearest_name(name, names);
    refuse_lesson(
        text, "no such number",
        nearest ? cat("did you mean ", *nearest, "?") : "see core/analysis/lesson_numbers.cpp");
  }
  if (arguments.size() != known->count) {
    refuse_lesson(text, cat("has ", arguments.size(), " arguments"),
                  cat("write ", known->name, "(", known->arguments, ")"));
  }
  return known->find(LessonCall(text, std::move(arguments), data, work));
}

std::string fill_lesson_text(std::string_view text, const LessonData& data,
                             const std::function<std::string(const LessonNumber&)>& write,
                             const Work& work) {
  std::string out;
  while (true) {
    const std::size_t open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      refuse_lesson(std::string(text.substr(open, 40)), "has no closing brackets",
                    "end it with }}");
    }
    out += write(lesson_number(text.substr(open + 2, close - open - 2), data, work));
    text.remove_prefix(close + 2);
  }
}

std::vector<std::string> lesson_number_names() {
  std::vector<std::string> names;
  for (const KnownNumber& each : known_numbers())
    names.push_back(cat(each.name, "(", each.arguments, ")"));
  return names;
}

}  // namespace qaq
