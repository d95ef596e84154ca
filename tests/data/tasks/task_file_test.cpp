// Task files: hand-written examples of each format against what they must become, the 600 real
// records where QAQ_DATASETS names their folder, and broken files.
#include "data/tasks/task_file.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "data/tasks/authors_text.h"
#include "tests/support/bad_input.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using nlohmann::json;

std::string example(const std::string& name) { return test::test_data_path("tasks/" + name); }

std::vector<json> json_lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<json> out;
  for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
  return out;
}

void expect_item(const TaskItem& item, const json& expected) {
  EXPECT_EQ(item.question, expected["question"]);
  EXPECT_EQ(json(item.choices), expected["choices"]);
  EXPECT_EQ(item.answer, expected["answer"]);
}

TEST(TaskFile, OriginalFilesBecomeWhatTheAuthorsAsk) {
  std::map<std::string, std::vector<json>> expected;
  for (const json& record : json_lines(example("example_expected.jsonl"))) {
    expected[record["task"]].push_back(record);
  }
  const std::map<std::string, std::string> files{{"hellaswag", "example_hellaswag_val.jsonl"},
                                                 {"piqa", "example_piqa_valid.jsonl"},
                                                 {"mathqa", "example_mathqa_test.json"}};
  for (const auto& [name, file] : files) {
    const Task task = read_task(example(file));
    EXPECT_EQ(task.name, name);
    ASSERT_EQ(task.items.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(task.items[i].id, name + "-" + std::to_string(i));
      expect_item(task.items[i], expected.at(name)[i]);
    }
  }
}

TEST(TaskFile, OursIsTakenAsItStands) {
  const Task task = read_task(example("example_expected.jsonl"));
  const auto expected = json_lines(example("example_expected.jsonl"));
  EXPECT_EQ(task.name, "hellaswag");
  ASSERT_EQ(task.items.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(task.items[i].id, expected[i]["id"]);
    expect_item(task.items[i], expected[i]);
  }
}

// The original fields of a real record, as an original file has them.
json original_of(const json& record) {
  json raw = record["raw"];
  if (record["task"] == "piqa") raw.erase("label");
  return raw;
}

class RealRecords : public testing::TestWithParam<std::string> {};

TEST_P(RealRecords, AreRebuiltFromTheOriginalFields) {
  const char* datasets = std::getenv("QAQ_DATASETS");
  if (!datasets) GTEST_SKIP() << "QAQ_DATASETS names no folder of data sets";
  const std::string& name = GetParam();
  const std::string path = std::string(datasets) + "/" + name + "/" + name + "-200.jsonl";
  const auto expected = json_lines(path);
  ASSERT_EQ(expected.size(), 200u);

  const test::TemporaryFolder folder;
  const std::string original = folder.file(name + (name == "mathqa" ? ".json" : ".jsonl"));
  std::ofstream out(original), labels(folder.file("piqa-labels.lst"));
  if (name == "mathqa") {
    json all = json::array();
    for (const json& record : expected) all.push_back(original_of(record));
    out << all.dump(1);
  } else {
    for (const json& record : expected) {
      out << original_of(record).dump() << '\n';
      if (name == "piqa") labels << record["raw"]["label"] << '\n';
    }
  }
  out.close();
  labels.close();

  const Task rebuilt = read_task(original), ours = read_task(path);
  ASSERT_EQ(rebuilt.items.size(), 200u);
  ASSERT_EQ(ours.items.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    expect_item(rebuilt.items[i], expected[i]);
    expect_item(ours.items[i], expected[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, RealRecords, testing::Values("hellaswag", "piqa", "mathqa"),
                         [](const auto& named) { return named.param; });

TEST(AuthorsText, QuirksOfHellaSwag) {
  EXPECT_EQ(hellaswag_text("[step] Wait."), " Wait.") << "white space goes before brackets";
  EXPECT_EQ(hellaswag_text("  \t[header] A [title] B [step] C \n"), " A. B C");
  EXPECT_EQ(hellaswag_text("a   b    c"), "a  b  c") << "one pass";
  EXPECT_EQ(hellaswag_text("a [b\nc] d"), "a [b\nc] d") << "a dot is no line's end";
  EXPECT_EQ(hellaswag_text("[a [b] c]"), " c]") << "the shortest match";
  EXPECT_EQ(hellaswag_text("\u00a0\u3000x\u2003"), "x");
  EXPECT_EQ(hellaswag_question("Sun", "It is.", "he SAYS Hi to Ann"),
            "Sun: It is. He says hi to ann");
  EXPECT_EQ(hellaswag_question("Sun", "It is.", "éTÉ"), "Sun: It is. Été");
  EXPECT_EQ(hellaswag_question("Sun", "It is.", ""), "Sun: It is.");
}

TEST(AuthorsText, QuirksOfMathQa) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(mathqa_choices("a ) 1,000 , b ) 2 , c ) 3 , d ) 4 , e ) 5"),
            (Texts{"1,000", "2", "3", "4", "5"}));
  EXPECT_EQ(mathqa_choices("a ) 1 , 2 , b ) 3 , c ) 4"), (Texts{"1", "3"}))
      << "a choice ends at the first comma with a space, and c has none";
  EXPECT_EQ(mathqa_choices("a ) x , e ) y , z , "), (Texts{"x", "y , z"}));
  EXPECT_EQ(mathqa_choices("a ) x , e ) y\n"), (Texts{"x", "y"}));
  EXPECT_EQ(mathqa_choices("nothing"), Texts{});
}

class BrokenTask : public testing::Test {
 protected:
  std::string refusal(const std::string& text, const std::string& name = "task.jsonl") {
    std::ofstream(folder_.file(name)) << text;
    const std::string line = test::refusal([&] { read_task(folder_.file(name)); });
    const std::size_t at = line.find(name);
    return at == line.npos ? line : line.substr(at);
  }
  test::TemporaryFolder folder_;
};

void expect_begins(const std::string& line, const std::string& words) {
  EXPECT_EQ(line.substr(0, words.size()), words) << line;
}

TEST_F(BrokenTask, NamesLineAndKey) {
  const std::string good = R"({"question": "q", "choices": ["a", "b"], "answer": 0})"
                           "\n";
  const auto second = [&](const std::string& record) { return refusal(good + "\r\n" + record); };
  expect_begins(second(R"({"question": "q", "choices": ["a", "b"], "answer": 2})"),
                "task.jsonl: line 3, answer: answer 2 is out of range");
  expect_begins(second(R"({"question": "q", "choices": ["a", "b"], "answer": -1})"),
                "task.jsonl: line 3, answer: answer -1 is out of range");
  expect_begins(
      second(R"({"question": "q", "choices": ["a", "b"], "answer": 18446744073709551615})"),
      "task.jsonl: line 3, answer: 18446744073709551615 is out of range");
  expect_begins(second(R"({"question": "q", "choices": ["a", "b"], "answer": "0"})"),
                "task.jsonl: line 3, answer: the value is string");
  expect_begins(second(R"({"question": "q", "choices": ["a", "b"]})"),
                "task.jsonl: line 3, answer: the key is missing");
  expect_begins(second(R"({"question": "q", "choices": ["a"], "answer": 0})"),
                "task.jsonl: line 3, choices: there are 1 choices");
  expect_begins(second(R"({"question": "q", "choices": ["a", ""], "answer": 0})"),
                "task.jsonl: line 3, choices: choice 1 is empty");
  expect_begins(second(R"({"question": "q", "choices": ["a", 2], "answer": 0})"),
                "task.jsonl: line 3, choices: holds number");
  expect_begins(second(R"({"question": "q", "choices": "ab", "answer": 0})"),
                "task.jsonl: line 3, choices: the value is string");
  expect_begins(second(R"({"question": "", "choices": ["a", "b"], "answer": 0})"),
                "task.jsonl: line 3, question: the question is empty");
  expect_begins(second(R"({"choices": ["a", "b"], "answer": 0})"),
                "task.jsonl: line 3, question: the key is missing");
  expect_begins(second("[1]"), "task.jsonl: line 3: is array");
  expect_begins(second("{\"question\": \"\xff\"}"), "task.jsonl: line 3, column 15: no JSON");
  expect_begins(second(R"({"question": "q", "question": "r"})"), "task.jsonl: line 3, question: ");
}

TEST_F(BrokenTask, TakesContextForQuestionAndIgnoresUnknownKeys) {
  std::ofstream(folder_.file("mine.jsonl"))
      << R"({"context": "q", "choices": ["a", "b"], "answer": 1, "more": {}})";
  const Task task = read_task(folder_.file("mine.jsonl"));
  EXPECT_EQ(task.name, "mine");
  EXPECT_EQ(task.items[0].question, "q");
  EXPECT_EQ(task.items[0].id, "mine-0");
}

TEST_F(BrokenTask, HellaSwagLabelsMayBeText) {
  const auto with_label = [](const std::string& label) {
    return R"({"activity_label": "A", "ctx_a": "b", "ctx_b": "", "endings": ["x", "y"], "label": )" +
           label + "}";
  };
  std::ofstream(folder_.file("h.jsonl")) << with_label("\"1\"");
  EXPECT_EQ(read_task(folder_.file("h.jsonl")).items[0].answer, 1);
  expect_begins(refusal(with_label("\"\"")), "task.jsonl: line 1, label: '' is no whole number");
  expect_begins(refusal(with_label("2")), "task.jsonl: line 1, label: answer 2 is out of range");
}

TEST_F(BrokenTask, PiqaNeedsAsManyLabelsAsQuestions) {
  const std::string two = R"({"goal": "g", "sol1": "a", "sol2": "b"})"
                          "\n"
                          R"({"goal": "h", "sol1": "a", "sol2": "b"})"
                          "\n";
  EXPECT_NE(refusal(two, "dev.jsonl").find("dev-labels.lst"), std::string::npos);
  std::ofstream(folder_.file("dev-labels.lst")) << "0\n";
  const auto labels = [&](const std::string& text) {
    std::ofstream(folder_.file("dev-labels.lst")) << text;
    return test::refusal([&] { read_task(folder_.file("dev.jsonl")); });
  };
  EXPECT_NE(labels("0\n").find("dev-labels.lst: 1 labels for 2 questions"), std::string::npos);
  EXPECT_NE(labels("0\n2\n").find("dev-labels.lst: line 2: "), std::string::npos);
  EXPECT_EQ(labels("0\r\n1"), "taken");
}

TEST_F(BrokenTask, MathQaNamesTheLineWithinTheArray) {
  const std::string good = R"({"Problem": "p, [\"{", "options": "a ) 1 , e ) 2", "correct": "a"})";
  const auto array = [&](const std::string& record) {
    return refusal("[\n" + good + ",\n\n" + record + "\n]", "test.json");
  };
  expect_begins(array(R"({"Problem": "p", "options": "a ) 1 , e ) 2", "correct": "c"})"),
                "test.json: line 4, correct: answer 2 is out of range");
  expect_begins(array(R"({"Problem": "p", "options": "a ) 1 , e ) 2", "correct": "A"})"),
                "test.json: line 4, correct: 'A' is no letter");
  expect_begins(array(R"({"Problem": "p", "options": "12", "correct": "a"})"),
                "test.json: line 4, options: there are 0 choices");
  expect_begins(array("7"), "test.json: line 4: is number");
}

TEST_F(BrokenTask, AFileOfSomethingElseIsToldWhatIsTaken) {
  expect_begins(refusal(R"({"prompt": "x"})"), "task.jsonl: line 1, choices: the key is missing");
  expect_begins(refusal(""), "task.jsonl: is empty");
  expect_begins(refusal("[]"), "task.jsonl: is empty");
}

class BadTask : public testing::TestWithParam<json> {};

TEST_P(BadTask, BehavesAsTheManifestSays) {
  test::expect_as_manifest(GetParam(), [](const std::string& path) { read_task(path); });
}

INSTANTIATE_TEST_SUITE_P(Manifest, BadTask, testing::ValuesIn(test::bad_inputs("task JSONL")),
                         test::bad_input_name);

}  // namespace
}  // namespace qaq
