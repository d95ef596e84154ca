#include "data/tasks/task_file.h"

#include <filesystem>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/mapped_file.h"
#include "data/tasks/authors_text.h"
#include "data/tasks/json_records.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

std::string text_of(const MappedFile& map) {
  return {reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()};
}

// What a record says, with the key that holds its choices and the one that holds its answer.
struct Record {
  TaskItem item{};
  const char* choices_key = nullptr;
  const char* answer_key = nullptr;
};

Record our_record(const JsonRecord& json) {
  const char* question =
      json.contains("question") || !json.contains("context") ? "question" : "context";
  Record out{.choices_key = "choices", .answer_key = "answer"};
  if (json.contains("id")) out.item.id = json.text("id");
  out.item.question = json.text(question);
  out.item.choices = json.texts("choices");
  return out;
}

Record hellaswag_record(const JsonRecord& json) {
  Record out{.choices_key = "endings", .answer_key = "label"};
  out.item.question =
      hellaswag_question(json.text("activity_label"), json.text("ctx_a"), json.text("ctx_b"));
  for (const std::string& ending : json.texts("endings")) {
    out.item.choices.push_back(hellaswag_text(ending));
  }
  return out;
}

Record piqa_record(const JsonRecord& json) {
  Record out{.choices_key = "sol1, sol2", .answer_key = "label"};
  out.item.question = question_and_answer(json.text("goal"));
  out.item.choices = {json.text("sol1"), json.text("sol2")};
  return out;
}

Record mathqa_record(const JsonRecord& json) {
  Record out{.choices_key = "options", .answer_key = "correct"};
  out.item.question = question_and_answer(json.text("Problem"));
  out.item.choices = mathqa_choices(json.text("options"));
  return out;
}

std::int64_t mathqa_answer(const JsonRecord& json) {
  const std::string& letter = json.text("correct");
  if (letter.size() != 1 || letter[0] < 'a' || letter[0] > 'e') {
    json.refuse("correct", cat("'", letter, "' is no letter from a to e"));
  }
  return letter[0] - 'a';
}

// The labels beside PIQA's questions, one a line.
std::vector<std::int64_t> piqa_labels(const std::string& path, std::size_t n_items) {
  const fs::path file =
      fs::path(path).replace_filename(fs::path(path).stem().string() + "-labels.lst");
  if (!fs::exists(file)) {
    refuse_input(
        {.file = path,
         .what = cat("PIQA's answers are not beside it: there is no ", file.filename().string()),
         .cure = "put the labels' file into the same folder"});
  }
  const std::string text = text_of(MappedFile(file.string()));
  std::vector<std::int64_t> labels;
  for (const std::string_view line : lines_of(text)) {
    if (line != "0" && line != "1") {
      refuse_input({.file = file.string(),
                    .place = cat("line ", labels.size() + 1),
                    .what = "is neither 0 nor 1",
                    .cure = "give one label a line"});
    }
    labels.push_back(line == "1" ? 1 : 0);
  }
  if (labels.size() != n_items) {
    refuse_input({.file = file.string(),
                  .what = cat(labels.size(), " labels for ", n_items, " questions"),
                  .cure = "take both files from the same place"});
  }
  return labels;
}

void check(const JsonRecord& json, const Record& record, std::int64_t answer) {
  const TaskItem& item = record.item;
  if (item.question.empty()) json.refuse("question", "the question is empty");
  if (item.choices.size() < 2) {
    json.refuse(record.choices_key,
                cat("there are ", item.choices.size(), " choices, and two at least are needed"));
  }
  for (std::size_t i = 0; i < item.choices.size(); ++i) {
    if (item.choices[i].empty()) json.refuse(record.choices_key, cat("choice ", i, " is empty"));
  }
  if (answer < 0 || answer >= std::ssize(item.choices)) {
    json.refuse(record.answer_key, cat("answer ", answer, " is out of range: the choices are 0 to ",
                                       item.choices.size() - 1));
  }
}

enum class Format { ours, hellaswag, piqa, mathqa };

Format format_of(const std::string& path, const JsonRecord& first) {
  if (first.contains("choices")) return Format::ours;
  if (first.contains("endings")) return Format::hellaswag;
  if (first.contains("goal")) return Format::piqa;
  if (first.contains("Problem")) return Format::mathqa;
  refuse_input({.file = path,
                .place = cat("line ", first.line(), ", choices"),
                .what = "the key is missing, and so are endings, goal and Problem",
                .cure = "give question, choices and answer, or a file of HellaSwag, PIQA or "
                        "MathQA"});
}

std::string name_of(const std::string& path, Format format, const JsonRecord& first) {
  switch (format) {
    case Format::hellaswag:
      return "hellaswag";
    case Format::piqa:
      return "piqa";
    case Format::mathqa:
      return "mathqa";
    case Format::ours:
      break;
  }
  return first.contains("task") ? first.text("task") : fs::path(path).stem().string();
}

Record record_of(Format format, const JsonRecord& json) {
  switch (format) {
    case Format::hellaswag:
      return hellaswag_record(json);
    case Format::piqa:
      return piqa_record(json);
    case Format::mathqa:
      return mathqa_record(json);
    case Format::ours:
      break;
  }
  return our_record(json);
}

}  // namespace

Task read_task(const std::string& path) {
  const MappedFile map(path);
  const auto records = json_records(text_of(map), path);
  if (records.empty()) {
    refuse_input({.file = path,
                  .what = "is empty: there is no question in it",
                  .cure = "give one question a line"});
  }
  const Format format = format_of(path, records.front());
  std::vector<std::int64_t> labels;
  if (format == Format::piqa) labels = piqa_labels(path, records.size());

  Task task{name_of(path, format, records.front()), {}};
  for (std::size_t i = 0; i < records.size(); ++i) {
    const JsonRecord& json = records[i];
    Record record = record_of(format, json);
    const std::int64_t answer = format == Format::piqa ? labels[i]
                                : format == Format::mathqa
                                    ? mathqa_answer(json)
                                    : json.integer(record.answer_key, format == Format::hellaswag);
    check(json, record, answer);
    if (record.item.id.empty()) record.item.id = cat(task.name, "-", i);
    record.item.answer = static_cast<std::int32_t>(answer);
    task.items.push_back(std::move(record.item));
  }
  return task;
}

}  // namespace qaq
