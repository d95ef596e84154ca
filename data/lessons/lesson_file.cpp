#include "data/lessons/lesson_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/analysis/lesson_charts.h"
#include "core/analysis/scope_params.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/lessons/bundled.h"
#include "data/lessons/lesson_markdown.h"
#include "data/presets/settings_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kComparison = "comparison";

class LessonReader {
 public:
  LessonReader(std::string name, const std::string& json, const std::string& markdown)
      : file_(name + ".json"),
        json_(parse_settings(file_, json,
                             {"qaq-lesson", "a lesson", {"capture", "comparison_from", "steps"}})),
        texts_(parse_lesson_markdown(name + ".md", markdown)),
        text_file_(name + ".md") {
    lesson_.id = std::move(name);
  }

  Lesson read() {
    lesson_.title = texts_.title;
    lesson_.capture = text("capture", json_.value("capture", Json()));
    const Json steps = json_.value("steps", Json());
    check_list("steps", steps);
    for (std::size_t i = 0; i < steps.size(); ++i) add_step(cat("steps/", i), steps[i]);
    if (lesson_.steps.empty()) refuse("steps", "there is none", "write one");
    for (const LessonMarkdown::Section& section : texts_.sections) check_section(section);
    read_comparison();
    return std::move(lesson_);
  }

 private:
  void add_step(const std::string& place, const Json& json) {
    check_keys(place, json, {"id", "do", "highlight", "picture", "chart", "done_when", "question"});
    LessonStep step{.id = text(place + "/id", json.value("id", Json()))};
    step.commands = texts(place + "/do", json.value("do", Json::array()));
    step.highlight = texts(place + "/highlight", json.value("highlight", Json::array()));
    if (json.contains("picture")) step.picture = text(place + "/picture", json["picture"]);
    if (json.contains("chart")) step.chart = chart(place + "/chart", json["chart"]);
    Json done = json.value("done_when", Json::array());
    if (done.is_object()) done = Json::array({done});
    check_list(place + "/done_when", done);
    for (std::size_t i = 0; i < done.size(); ++i) {
      step.done.push_back(condition(cat(place, "/done_when/", i), done[i]));
    }
    if (step.commands.empty() != step.done.empty()) {
      refuse(place, "has one of do and done_when without the other", "give both or none");
    }
    if (has_step(step.id)) refuse(place + "/id", "is taken", "give each step its own");
    const LessonMarkdown::Section* section = section_of(step.id);
    if (!section) {
      refuse(place + "/id", cat("has no section in ", text_file_), cat("write ## ", step.id));
    }
    step.title = section->title;
    step.body = section->body;
    if (json.contains("question")) add_question(place + "/question", json["question"], step);
    lesson_.steps.push_back(std::move(step));
  }

  std::string chart(const std::string& place, const Json& json) const {
    std::string name = text(place, json);
    const std::vector<std::string> known = lesson_chart_names();
    if (std::ranges::find(known, name) != known.end()) return name;
    const auto nearest = nearest_name(name, known);
    refuse(place, "is no chart",
           nearest ? cat("did you mean ", *nearest, "?") : "see lesson_charts.h");
  }

  void add_question(const std::string& place, const Json& json, LessonStep& step) {
    check_keys(place, json, {"choices", "answer"});
    const LessonMarkdown::Section& section = *section_of(step.id);
    LessonQuestion question{.text = section.question,
                            .choices = texts(place + "/choices", json.value("choices", Json())),
                            .answer = text(place + "/answer", json.value("answer", Json())),
                            .why = section.why};
    if (question.choices.size() < 2) refuse(place + "/choices", "are too few", "give two or more");
    if (question.text.empty() || question.why.empty()) {
      refuse(place, cat("has no text in ", text_file_),
             cat("write ### question and ### why below ## ", step.id));
    }
    step.question.push_back(std::move(question));
  }

  LessonCondition condition(const std::string& place, const Json& json) const {
    if (json.is_object() && json.contains("parameter")) return parameter_condition(place, json);
    std::vector<std::string> names;
    for (const std::string_view name : ChoiceNames<LessonSubject>::names) names.emplace_back(name);
    check_keys(place, json, names);
    if (json.size() != 1) refuse(place, "is no single condition", "write {\"layer\": 14}");
    LessonCondition out;
    const std::string& key = json.begin().key();
    const Json& value = json.begin().value();
    out.subject = static_cast<LessonSubject>(std::ranges::find(names, key) - names.begin());
    out.value = settings_value(file_, place + "/" + key, value);
    const bool is_text = out.subject == LessonSubject::view || out.subject == LessonSubject::cache;
    const bool fits = is_text                                ? value.is_string()
                      : out.subject == LessonSubject::locked ? value.is_boolean()
                                                             : value.is_number_integer();
    if (!fits) {
      refuse(place + "/" + key, "is of the wrong kind",
             is_text ? "write a name" : "write a whole number, or true");
    }
    return out;
  }

  LessonCondition parameter_condition(const std::string& place, const Json& json) const {
    check_keys(place, json, {"parameter", "equals"});
    LessonCondition out{.subject = LessonSubject::parameter,
                        .parameter = text(place + "/parameter", json["parameter"])};
    if (!json.contains("equals")) refuse(place, "has no \"equals\"", "say which value is meant");
    out.value = settings_value(file_, place + "/equals", json["equals"]);
    try {
      ScopeParams params;
      set_parameter(params, out.parameter, out.value);
    } catch (const Error& error) {
      refuse(place, error.text().what, error.text().cure);
    }
    return out;
  }

  void check_section(const LessonMarkdown::Section& section) const {
    if (section.id == kComparison) return;
    const auto step = std::ranges::find(lesson_.steps, section.id, &LessonStep::id);
    const bool asks = !section.question.empty() || !section.why.empty();
    if (step != lesson_.steps.end() && asks == !step->question.empty()) return;
    refuse_input(
        {.file = text_file_,
         .place = cat("line ", section.line),
         .what = cat("'", section.id, "' is ",
                     step == lesson_.steps.end() ? "no step" : "no question", " of ", file_),
         .cure = "write both or none"});
  }

  void read_comparison() {
    const LessonMarkdown::Section* section = section_of(std::string(kComparison));
    const bool named = json_.contains("comparison_from");
    if (!section && !named) return;
    if (!section) refuse("comparison_from", cat("has no section in ", text_file_), "write it");
    lesson_.comparison_from = text("comparison_from", json_.value("comparison_from", Json()));
    if (!has_step(lesson_.comparison_from)) refuse("comparison_from", "names no step", "name one");
    lesson_.comparison = section->body;
  }

  bool has_step(const std::string& id) const {
    return std::ranges::find(lesson_.steps, id, &LessonStep::id) != lesson_.steps.end();
  }
  const LessonMarkdown::Section* section_of(const std::string& id) const {
    const auto found = std::ranges::find(texts_.sections, id, &LessonMarkdown::Section::id);
    return found == texts_.sections.end() ? nullptr : &*found;
  }

  void check_keys(const std::string& place, const Json& json,
                  const std::vector<std::string>& known) const {
    if (!json.is_object()) refuse(place, "is no JSON object", "write {...}");
    for (const auto& [key, value] : json.items()) {
      if (std::ranges::find(known, key) != known.end()) continue;
      const auto nearest = nearest_name(key, known);
      std::string names;
      for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
      refuse(place + "/" + key, "is no key of this place",
             nearest ? cat("did you mean ", *nearest, "?") : cat("use ", names));
    }
  }
  std::string text(const std::string& place, const Json& json) const {
    if (!json.is_string()) refuse(place, "is no text", "write one in quotes");
    return json.get<std::string>();
  }
  void check_list(const std::string& place, const Json& json) const {
    if (!json.is_array()) refuse(place, "is no list", "write [...]");
  }
  std::vector<std::string> texts(const std::string& place, const Json& json) const {
    std::vector<std::string> out;
    check_list(place, json);
    for (std::size_t i = 0; i < json.size(); ++i) {
      out.push_back(text(cat(place, "/", i), json[i]));
    }
    return out;
  }
  [[noreturn]] void refuse(const std::string& place, const std::string& what,
                           const std::string& cure) const {
    refuse_input({.file = file_, .place = place, .what = what, .cure = cure});
  }

  std::string file_;
  Json json_;
  LessonMarkdown texts_;
  std::string text_file_;
  Lesson lesson_;
};

}  // namespace

std::vector<std::string> lesson_names() {
  std::vector<std::string> names;
  for (const BundledLesson& lesson : bundled_lessons()) names.emplace_back(lesson.name);
  return names;
}

Lesson read_lesson(const std::string& name) {
  std::vector<Lesson> all;
  for (const BundledLesson& lesson : bundled_lessons()) {
    all.push_back(parse_lesson(std::string(lesson.name), std::string(lesson.json),
                               std::string(lesson.markdown)));
  }
  return std::move(all[find_lesson(all, name)]);
}

Lesson parse_lesson(const std::string& name, const std::string& json, const std::string& markdown) {
  return LessonReader(name, json, markdown).read();
}

}  // namespace qaq
