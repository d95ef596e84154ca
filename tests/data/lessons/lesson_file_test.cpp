#include "data/lessons/lesson_file.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "data/lessons/lesson_markdown.h"
#include "data/lessons/measured_file.h"

namespace qaq {
namespace {

const std::string kMarkdown = R"(# 9 A title
## first: The first step
Some **text**
over two lines.
### question
Which?
### why
Because.
## second
More.
## comparison
| a |
)";

const std::string kJson = R"({"format": "qaq-lesson", "version": 1, "capture": "letter",
 "comparison_from": "second",
 "steps": [{"id": "first", "do": ["layer 14"], "highlight": ["bits"], "picture": "bits",
            "done_when": [{"layer": 14}, {"parameter": "value.n_bits_max", "equals": 4}],
            "question": {"choices": ["1", "2"], "answer": "2"}},
           {"id": "second"}]})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal_of(const std::string& json, const std::string& markdown = kMarkdown) {
  try {
    parse_lesson("09-x", json, markdown);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return {};
}

TEST(LessonFile, JoinsWhatALessonDoesWithWhatItSays) {
  const Lesson lesson = parse_lesson("09-x", kJson, kMarkdown);
  EXPECT_EQ(lesson.id, "09-x");
  EXPECT_EQ(lesson.title, "9 A title");
  EXPECT_EQ(lesson.capture, "letter");
  ASSERT_EQ(lesson.steps.size(), 2u);
  const LessonStep& first = lesson.steps[0];
  EXPECT_EQ(first.title, "The first step");
  EXPECT_EQ(first.body, "Some **text**\nover two lines.");
  EXPECT_EQ(first.commands, std::vector<std::string>{"layer 14"});
  ASSERT_EQ(first.done.size(), 2u);
  EXPECT_EQ(first.done[0].subject, LessonSubject::layer);
  EXPECT_EQ(first.done[1].parameter, "value.n_bits_max");
  ASSERT_EQ(first.question.size(), 1u);
  EXPECT_EQ(first.question[0].text, "Which?");
  EXPECT_EQ(first.question[0].why, "Because.");
  EXPECT_EQ(lesson.comparison_from, "second");
  EXPECT_EQ(lesson.comparison, "| a |");
}

TEST(LessonFile, NamesThePlaceOfWhatItRefuses) {
  const auto expect = [](const std::string& refusal, const std::string& words) {
    EXPECT_NE(refusal.find(words), std::string::npos) << refusal;
  };
  expect(refusal_of(replaced(kJson, "highlight", "hilight")),
         "09-x.json: steps/0/hilight: is no key of this place; did you mean highlight?");
  expect(refusal_of(replaced(kJson, "\"capture\"", "\"captur\"")), "did you mean capture?");
  expect(refusal_of(replaced(kJson, "value.n_bits_max", "value.n_bit_max")), "n_bits_max");
  expect(refusal_of(replaced(kJson, "\"equals\": 4", "\"equals\": 40")), "steps/0/done_when/1");
  expect(refusal_of(replaced(kJson, "{\"layer\": 14}", "{\"layer\": \"x\"}")),
         "steps/0/done_when/0/layer");
  expect(refusal_of(replaced(kJson, "\"do\": [\"layer 14\"], ", "")), "do and done_when");
  expect(refusal_of(replaced(kJson, "{\"id\": \"second\"}", "{\"id\": \"third\"}")),
         "steps/1/id: has no section in 09-x.md");
  expect(refusal_of(
             replaced(kJson, "\"comparison_from\": \"second\"", "\"comparison_from\": \"none\"")),
         "comparison_from: names no step");
  expect(refusal_of(kJson, replaced(kMarkdown, "### why\nBecause.\n", "")), "has no text");
  expect(refusal_of(kJson, kMarkdown + "## more\ntext\n"), "09-x.md: line 13: 'more' is no step");
  expect(refusal_of(kJson, replaced(kMarkdown, "### why", "### because")), "line 7");
  expect(refusal_of("{"), "is not valid JSON");
}

TEST(LessonFile, BundledLessonsAreRead) {
  const auto names = lesson_names();
  ASSERT_GE(names.size(), 3u);
  for (const std::string& name : names) {
    const Lesson lesson = read_lesson(name);
    EXPECT_EQ(lesson.id, name);
    EXPECT_FALSE(lesson.steps.empty());
  }
  EXPECT_EQ(read_lesson("5").id, read_lesson("05-budget").id);
  EXPECT_THROW(read_lesson("no"), Error);
}

TEST(MeasuredRuns, AreReadWithWhatTheyHaveInCommon) {
  const MeasuredRuns runs = bundled_measured_runs();
  EXPECT_EQ(runs.text, "letter.txt");
  EXPECT_EQ(runs.prefix + runs.n_positions, runs.n_tokens);
  ASSERT_FALSE(runs.runs.empty());
  EXPECT_EQ(runs.runs.front().name, "key head 1");
  EXPECT_THROW(parse_measured_runs("m.json", R"({"format": "qaq-lesson-results", "version": 1})"),
               Error);
}

}  // namespace
}  // namespace qaq
