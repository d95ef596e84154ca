#include "data/session/session_file.h"

#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/bad_input.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using test::TemporaryFolder;

// Every key that is known, and at every level one that is not ("x...").
constexpr const char* kWhole = R"({
  "format": "qaq-session", "version": 1, "app_version": "9.8.7",
  "captures": [
    {"path": "../a.h5", "bytes": 12,
     "sha256": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "xc": {"y": 1}},
    {"path": "b c.h5"}],
  "open": "b c.h5",
  "set": {"key.level": "head", "value.last_n_attentions": 5, "outliers_ratio": 0.25,
          "key.symmetric": true, "a_later_parameter": 3},
  "prefix": 7,
  "slice": {"cache": "key", "layer": 14, "head": 1, "query_head": 4, "xs": [1]},
  "lock": {"cache": "value", "layer": 2, "head": 0, "token": 56, "step": 84, "xl": "l"},
  "runs": [{"name": "tight", "capture": "../a.h5", "set": {"n_bits_max": 3}, "prefix": 2, "xr": 0}],
  "pages": [{"title": "One", "rows": [["bits"], ["outliers", "attention"]], "xp": null},
            {"title": "Two", "rows": [["bits"]]}],
  "page": 1,
  "views": {"bits": {"ranges": [0.5, 9.5], "reducer": "min"}, "a_later_view": {"deep": [{}]}},
  "layout": "AAAA/w==",
  "slices": [{"name": "sinks", "tokens": [0, 3], "xn": true}],
  "pins": [{"cache": "value", "layer": 1, "head": 0, "token": 5, "channel": 2, "xi": 1.5}],
  "annotations": [{"cell": {"cache": "key", "layer": 0, "head": 0, "token": 1, "xe": 9},
                   "text": "here\n\u00b7", "xa": ["a"]}],
  "xtop": {"deep": {"deeper": [1, 2, 3]}}})";

TEST(SessionFile, GivesBackWhatIsWritten) {
  const SessionFile session = parse_session(kWhole, "s.qaqsession");
  EXPECT_EQ(session.app_version, "9.8.7");
  ASSERT_EQ(session.captures.size(), 2u);
  EXPECT_EQ(session.captures[0].path, "../a.h5");
  EXPECT_EQ(session.captures[0].digest->n_bytes, 12);
  EXPECT_FALSE(session.captures[1].digest);
  EXPECT_EQ(session.open, "b c.h5");
  ASSERT_EQ(session.set.size(), 5u);
  EXPECT_EQ(session.set[0], (std::pair<std::string, ParameterValue>{"key.level", "head"}));
  EXPECT_EQ(std::get<std::int64_t>(session.set[1].second), 5);
  EXPECT_EQ(std::get<double>(session.set[2].second), 0.25);
  EXPECT_EQ(std::get<bool>(session.set[3].second), true);
  EXPECT_EQ(session.prefix, 7);
  EXPECT_EQ(session.slice->cache, "key");
  EXPECT_EQ(session.slice->query_head, 4);
  EXPECT_FALSE(session.slice->token);
  EXPECT_EQ(session.lock->token, 56);
  EXPECT_EQ(session.lock->step, 84);
  ASSERT_EQ(session.runs.size(), 1u);
  EXPECT_EQ(session.runs[0].prefix, 2);
  ASSERT_EQ(session.pages.size(), 2u);
  EXPECT_EQ(session.pages[0].rows[1], (std::vector<std::string>{"outliers", "attention"}));
  EXPECT_EQ(session.page, 1);
  EXPECT_EQ(session.layout, "AAAA/w==");
  EXPECT_EQ(session.slices[0].tokens, (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(session.pins[0].channel, 2);
  EXPECT_EQ(session.annotations[0].text, "here\n\u00b7");
  EXPECT_EQ(session.annotations[0].cell.token, 1);
}

TEST(SessionFile, KeepsWhatItDoesNotKnowAtEveryLevel) {
  const SessionFile session = parse_session(kWhole, "s.qaqsession");
  auto before = nlohmann::json::parse(kWhole), after = nlohmann::json::parse(session_text(session));
  EXPECT_EQ(after, before) << after.dump(1);
}

TEST(SessionFile, WritingTwiceGivesTheSameBytes) {
  const std::string once = session_text(parse_session(kWhole, "s"));
  EXPECT_EQ(session_text(parse_session(once, "s")), once);
  const std::string least = R"({"format": "qaq-session", "version": 1})";
  const std::string grown = session_text(parse_session(least, "s"));
  EXPECT_EQ(session_text(parse_session(grown, "s")), grown);
}

TEST(SessionFile, IsWrittenWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.qaqsession");
  write_session(path, parse_session(kWhole, "s"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"s.qaqsession"});
  EXPECT_EQ(session_text(read_session(path)), test::bytes_of_file(path));
  EXPECT_THROW(write_session(folder.file("none/s.qaqsession"), SessionFile{}), Error);
  EXPECT_THROW(write_session(folder.path().string(), SessionFile{}), Error) << "is a folder";
  EXPECT_EQ(folder.names(), std::vector<std::string>{"s.qaqsession"});
}

TEST(SessionFile, NamesThatAreNoTextAreWrittenAsText) {
  SessionFile session;
  session.captures.push_back({.path = "a\xff.h5", .digest = {}});
  EXPECT_NO_THROW(parse_session(session_text(session), "s"));
}

void expect_refused(const std::string& text, const std::string& place, const std::string& word) {
  try {
    parse_session(text, "s.qaqsession");
    ADD_FAILURE() << "was taken: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().file, "s.qaqsession");
    EXPECT_EQ(error.text().place, place) << error.what();
    EXPECT_NE(error.text().what.find(word), std::string::npos) << error.what();
    EXPECT_FALSE(error.text().cure.empty());
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(SessionFile, RefusesWhatAKnownKeyCannotHave) {
  const auto with = [](const std::string& more) {
    return R"({"format": "qaq-session", "version": 1, )" + more + "}";
  };
  expect_refused("[]", "", "no JSON object");
  expect_refused(R"({"version": 1})", "format", "qaq-session");
  expect_refused(R"({"format": "qaq-preset", "version": 1})", "format", "qaq-session");
  expect_refused(R"({"format": "qaq-session"})", "version", "null");
  expect_refused(R"({"format": "qaq-session", "version": 999})", "version", "999");
  expect_refused(with(R"("captures": {})"), "captures", "no list");
  expect_refused(with(R"("captures": ["a.h5"])"), "captures/0", "no JSON object");
  expect_refused(with(R"("captures": [{"path": "a"}, {"bytes": 1}])"), "captures/1/path",
                 "is missing");
  expect_refused(with(R"("captures": [{"path": ""}])"), "captures/0/path", "no text");
  expect_refused(with(R"("captures": [{"path": "a", "bytes": -1}])"), "captures/0/bytes", "-1");
  expect_refused(with(R"("captures": [{"path": "a", "sha256": "12"}])"), "captures/0/sha256",
                 "SHA-256");
  expect_refused(with(R"("prefix": 1.5)"), "prefix", "1.5");
  expect_refused(with(R"("prefix": 18446744073709551615)"), "prefix", "18446744073709551615");
  expect_refused(with(R"("set": [])"), "set", "no JSON object");
  expect_refused(with(R"("set": {"key.level": []})"), "set/key.level", "no single value");
  expect_refused(with(R"("slice": {"head": 0})"), "slice/layer", "is missing");
  expect_refused(with(R"("slice": {"cache": "both", "layer": 0, "head": 0})"), "slice/cache",
                 "both");
  expect_refused(with(R"("lock": {"layer": 0, "head": 0})"), "lock/token", "is missing");
  expect_refused(with(R"("runs": [{}])"), "runs/0/name", "is missing");
  expect_refused(with(R"("pages": [{"rows": []}])"), "pages/0/rows", "is empty");
  expect_refused(with(R"("pages": [{"rows": [["a"], "b"]}])"), "pages/0/rows", "a row");
  expect_refused(with(R"("views": 3)"), "views", "no JSON object");
  expect_refused(with(R"("slices": [{"name": "s", "tokens": [-1]}])"), "slices/0/tokens",
                 "tokens/0");
  expect_refused(with(R"("annotations": [{"text": "t"}])"), "annotations/0/cell", "is missing");
  expect_refused(with(R"("page": 1, "page": 2)"), "page", "twice");
}

TEST(SessionFile, RefusesFilesThatWouldTakeTheMachine) {
  const std::string deep(1'000'000, '[');
  expect_refused(deep, "line 1, column 33", "deeper than 32");
  expect_refused(R"({"format": "qaq-session", "version": 1, "views": )" + deep, "line 1, column 81",
                 "deeper than 32");
  const TemporaryFolder folder;
  const std::string path = folder.file("s.qaqsession");
  std::ofstream(path) << std::string((16u << 20) + 1, ' ');
  EXPECT_THROW(read_session(path), Error);
  EXPECT_THROW(read_session(folder.file("none.qaqsession")), Error);
}

TEST(SessionFile, BracketsInTextsAreNoLevels) {
  const std::string text = R"("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\")";
  const SessionFile session = parse_session(
      R"({"format": "qaq-session", "version": 1, "layout": )" + text + "}", "s.qaqsession");
  EXPECT_EQ(session.layout.size(), 42u);
}

class BadSession : public testing::TestWithParam<nlohmann::json> {};
INSTANTIATE_TEST_SUITE_P(Manifest, BadSession, testing::ValuesIn(test::bad_inputs("session")),
                         test::bad_input_name);

TEST_P(BadSession, IsRefusedAsTheManifestSays) {
  test::expect_as_manifest(GetParam(), [](const std::string& path) { read_session(path); });
}

}  // namespace
}  // namespace qaq
