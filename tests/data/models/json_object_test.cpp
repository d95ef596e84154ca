#include "data/models/json_object.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::refusal;

void expect_begins(const std::string& line, const std::string& words) {
  EXPECT_EQ(line.substr(0, words.size()), words) << line;
}

std::string refusal_of(const std::string& text) {
  return refusal([&] { parse_json(text, "F"); });
}

TEST(ParseJson, NamesLineAndColumn) {
  expect_begins(refusal_of("{\"a\": 1,\n \"b\": }"), "F: line 2, column 7: no JSON: syntax error");
  expect_begins(refusal_of("{\"a\": [1,\n\n2"), "F: line 3, column 2: no JSON");
  expect_begins(refusal_of(""), "F: line 1, column 1: no JSON");
  expect_begins(refusal_of(std::string("{}\n\0", 4)), "F: line 2, column 1: no JSON: a NUL byte");
  expect_begins(refusal_of("{\"a\": \"\xff\"}"), "F: line 1, column 8: no JSON");
  expect_begins(refusal([] { parse_json("{", "F", "the header"); }), "F: the header, line 1");
}

TEST(ParseJson, RefusesAKeyThatIsThereTwiceInOneObject) {
  expect_begins(refusal_of("{\"a\": 1, \"a\": 2}"), "F: a: the key is there twice");
  expect_begins(refusal_of("[{\"b\": {\"c\": 1, \"c\": 1}}]"), "F: c: the key is there twice");
  EXPECT_EQ(refusal_of("{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}"), "taken");
}

TEST(ParseJson, KeepsTheFilesOrder) {
  EXPECT_EQ(parse_json("{\"z\": 1, \"a\": 2}", "F").dump(), "{\"z\":1,\"a\":2}");
}

TEST(JsonObject, ErrorsNameThePathOfTheKey) {
  const JsonObject object("F",
                          parse_json(R"({"outer": {"n": -1, "t": 5}, "list": [1, "a"]})", "F"));
  expect_begins(refusal([&] { object.object("outer").size("n"); }),
                "F: outer.n: -1 is out of range");
  expect_begins(refusal([&] { object.object("outer").size("m"); }),
                "F: outer.m: the key is missing");
  expect_begins(refusal([&] { object.object("outer").text_or("t", ""); }),
                "F: outer.t: the value is number, and a string is needed");
  expect_begins(refusal([&] { object.object("list"); }), "F: list: is array, and a JSON object");
  expect_begins(refusal([&] { object.integers("list"); }), "F: list: the value is array");
  expect_begins(refusal([] { JsonObject("F", parse_json("[]", "F")); }), "F: line 1: is array");
}

TEST(JsonObject, TakesOneNumberOrAList) {
  const JsonObject object("F", parse_json(R"({"one": 3, "two": [3, 4], "none": null})", "F"));
  EXPECT_EQ(object.integers("one"), (std::vector<std::int64_t>{3}));
  EXPECT_EQ(object.integers("two"), (std::vector<std::int64_t>{3, 4}));
  EXPECT_TRUE(object.integers("none").empty());
  EXPECT_TRUE(object.integers("absent").empty());
}

}  // namespace
}  // namespace qaq
