#include "app/scope/session_state.h"

#include <QJsonArray>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/version.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq::scope {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::TemporaryFolder;
using views::SessionState;

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");

SessionState whole_state(const std::string& capture) {
  SessionState state;
  state.capture = QString::fromStdString(capture);
  set_parameter(state.params, "key.level", std::string("layer"));
  set_parameter(state.params, "q_norm", 12.5);
  state.prefix = 3;
  state.slice = views::Slice{.side = CacheSide::key, .layer = 1, .kvHead = 1, .queryHead = 2};
  state.lock = views::Cursor{.layer = 1, .kvHead = 1, .token = 2, .step = 3, .channel = 4};
  SessionState::Run run{"tight", {}, 2};
  set_parameter(run.params, "n_bits_max", std::int64_t{3});
  state.runs = {run};
  state.reference =
      SessionState::Reference{"setting", "paper", QString::fromStdString(capture), run.params, 2};
  state.pages = {{"One", {{"bits"}}}, {"Two", {{"outliers", "attention"}, {"bits"}}}};
  state.page = 1;
  state.views = {{"bits", QJsonObject{{"ranges", QJsonArray{1.5, 2}}}}};
  state.layout = "AAAA";
  state.slices = {{"sinks", {0, 3}}};
  state.pins = {views::Cursor{.token = 1}};
  state.annotations = {{views::Cursor{.token = 2}, "here"}};
  return state;
}

TEST(SessionState, ComesBackFromAFileAsItWas) {
  const TemporaryFolder folder;
  fs::copy_file(kCapture, folder.file("c.h5"));
  const std::string path = folder.file("s.qaqsession");
  const SessionState before = whole_state(folder.file("c.h5"));
  write_session(path, sessionFileOf(before, path));
  const auto loaded = loadedSession(read_session(path), path);
  const SessionState& after = loaded.state;
  EXPECT_EQ(loaded.missing, "");
  EXPECT_FALSE(loaded.changed);
  EXPECT_EQ(after.capture.toStdString(), (fs::canonical(folder.path()) / "c.h5").string());
  EXPECT_TRUE(same_parameters(after.params, before.params));
  EXPECT_EQ(after.prefix, 3);
  EXPECT_EQ(after.slice, before.slice);
  EXPECT_EQ(after.lock, before.lock);
  ASSERT_TRUE(after.reference);
  EXPECT_EQ(after.reference->kind, "setting");
  EXPECT_EQ(after.reference->label, "paper");
  EXPECT_EQ(after.reference->capture.toStdString(), folder.file("c.h5"));
  EXPECT_TRUE(same_parameters(after.reference->params, before.reference->params));
  EXPECT_EQ(after.reference->prefix, 2);
  ASSERT_EQ(after.runs.size(), 1);
  EXPECT_EQ(after.runs[0].name, "tight");
  EXPECT_TRUE(same_parameters(after.runs[0].params, before.runs[0].params));
  EXPECT_EQ(after.runs[0].prefix, 2);
  EXPECT_EQ(after.pages, before.pages);
  EXPECT_EQ(after.page, 1);
  EXPECT_EQ(after.views, before.views);
  EXPECT_EQ(after.layout, before.layout);
  EXPECT_EQ(after.slices, before.slices);
  EXPECT_EQ(after.pins, before.pins);
  EXPECT_EQ(after.annotations, before.annotations);
  const json written = json::parse(test::bytes_of_file(path));
  EXPECT_EQ(written["captures"][0]["path"], "c.h5");
  EXPECT_EQ(written["app_version"], program_version());
  EXPECT_EQ(written["set"].size(), list_parameters(ScopeParams{}).size())
      << "all: a later program's defaults change nothing";
}

TEST(SessionState, KeepsThePolicyOfEverySetting) {
  const TemporaryFolder folder;
  fs::copy_file(kCapture, folder.file("c.h5"));
  const std::string path = folder.file("s.qaqsession");
  SessionState before = whole_state(folder.file("c.h5"));
  set_policy(before.params, "kivi");
  set_parameter(before.params, "k_bits", std::int64_t{4});
  set_policy(before.runs[0].params, "q4_0");
  set_policy(before.reference->params, "q8_0");
  write_session(path, sessionFileOf(before, path));
  const SessionState after = loadedSession(read_session(path), path).state;
  EXPECT_TRUE(same_parameters(after.params, before.params));
  EXPECT_TRUE(same_parameters(after.runs[0].params, before.runs[0].params));
  EXPECT_TRUE(same_parameters(after.reference->params, before.reference->params));

  // What an older program kept of QAQ, and a newer one of it, is not of kivi.
  SessionState again = after;
  again.document = QByteArray::fromStdString(
      R"({"format": "qaq-session", "version": 1, "set": {"key.level": "token", "later": 1}})");
  again.origin = QString::fromStdString(path);
  const json written = json::parse(session_text(sessionFileOf(again, path)));
  EXPECT_EQ(written["policy"], "kivi");
  EXPECT_EQ(written["set"].size(), list_parameters(after.params).size());

  json file = json::parse(test::bytes_of_file(path));
  file["policy"] = "kiwi";
  std::ofstream(path) << file;
  EXPECT_NE(test::refusal([&] { loadedSession(read_session(path), path); }).find("policy"),
            std::string::npos);
}

TEST(SessionState, KeepsWhatTheWindowDoesNotKnowWhenItIsSavedElsewhere) {
  const TemporaryFolder folder;
  fs::create_directories(folder.file("other/deep"));
  fs::copy_file(kCapture, folder.file("c.h5"));
  const std::string path = folder.file("s.qaqsession"),
                    there = folder.file("other/deep/t.qaqsession");
  json file = json::parse(session_text(sessionFileOf(whole_state(folder.file("c.h5")), path)));
  file["later"] = {{"deep", {1, 2}}};
  file["captures"][0]["later"] = 1;
  file["captures"].push_back({{"path", "more/second.h5"}, {"later", 2}});
  file["set"]["a_later_parameter"] = "x";
  file["runs"][0]["later"] = 3;
  file["runs"][0]["capture"] = "more/second.h5";
  file["runs"][0]["set"]["a_later_parameter"] = 1.5;
  file["reference"]["later"] = 11;
  file["reference"]["set"]["a_later_parameter"] = 2.5;
  file["pages"][1]["later"] = 4;
  file["slices"][0]["later"] = 5;
  file["pins"][0]["later"] = 6;
  file["annotations"][0]["later"] = 7;
  file["annotations"][0]["cell"]["later"] = 8;
  file["slice"]["later"] = 9;
  file["lock"]["later"] = 10;
  const SessionState state = loadedSession(parse_session(file.dump(), path), path).state;
  write_session(there, sessionFileOf(state, there));
  json moved = json::parse(test::bytes_of_file(there));
  json expected = file;
  expected["captures"][0]["path"] = expected["open"] = "../../c.h5";
  expected["captures"][1]["path"] = "../../more/second.h5";
  expected["runs"][0]["capture"] = "../../more/second.h5";
  expected["reference"]["capture"] = "../../c.h5";
  EXPECT_EQ(moved, expected) << json::diff(expected, moved).dump(1);
}

TEST(SessionState, SaysWhatIsMissingAndTakesWhereItWasLocated) {
  const TemporaryFolder folder;
  fs::copy_file(kCapture, folder.file("c.h5"));
  const std::string path = folder.file("s.qaqsession");
  const SessionFile session = sessionFileOf(whole_state(folder.file("c.h5")), path);
  fs::create_directories(folder.file("moved"));
  fs::rename(folder.file("c.h5"), folder.file("moved/renamed.h5"));
  const auto lost = loadedSession(session, path);
  EXPECT_EQ(lost.missing.toStdString(), (fs::canonical(folder.path()) / "c.h5").string());
  EXPECT_EQ(lost.state.capture, "");
  const auto located = loadedSession(session, path, folder.file("moved/renamed.h5"));
  EXPECT_EQ(located.missing, "");
  EXPECT_FALSE(located.changed) << "it is the same file";
  const auto saved = sessionFileOf(located.state, path);
  ASSERT_EQ(saved.captures.size(), 1u);
  EXPECT_EQ(saved.captures[0].path, "moved/renamed.h5");
  std::ofstream(folder.file("moved/renamed.h5"), std::ios::app) << "more";
  EXPECT_TRUE(loadedSession(session, path, folder.file("moved/renamed.h5")).changed);
  try {
    openSession(folder.file("none.qaqsession"));
    ADD_FAILURE() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

TEST(SessionState, AValueThatCannotBeIsTheFilesFault) {
  try {
    loadedSession(parse_session(R"({"format": "qaq-session", "version": 1,
                                    "set": {"n_bits_max": 99}})",
                                "s"),
                  "s");
    ADD_FAILURE() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_TRUE(std::string(error.what()).starts_with("s: set/n_bits_max: ")) << error.what();
  }
}

}  // namespace
}  // namespace qaq::scope
