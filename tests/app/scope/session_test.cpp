// qaq-scope with sessions: figures of all their views, pictures of the window.

#include <filesystem>
#include <gtest/gtest.h>

#include "app/scope/session_state.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "tests/support/bad_input.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;
using test::TemporaryFolder;

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");

ProgramResult run_scope(std::vector<std::string> words) {
  words.insert(words.begin(), QAQ_PROGRAM);
  return test::run_program(words, {.environment = {"DISPLAY=", "WAYLAND_DISPLAY="}});
}

class Session : public testing::Test {
 protected:
  Session() : path(folder.file("set/s.qaqsession")) {
    fs::create_directories(folder.file("set"));
    fs::copy_file(kCapture, folder.file("set/c.h5"));
    views::SessionState state;
    state.capture = QString::fromStdString(folder.file("set/c.h5"));
    state.prefix = 4;
    set_parameter(state.params, "n_bits_max", std::int64_t{6});
    state.slice = views::Slice{.layer = 0, .kvHead = 0};
    state.pages = {{"Bits & more", {{"bits"}, {"outliers"}}}, {"Two", {{"attention"}}}};
    write_session(path, scope::sessionFileOf(state, path));
  }
  ProgramResult draw(std::vector<std::string> more) {
    more.insert(more.begin(), {"figure", "--session", path, "-o", out.file("figs")});
    return run_scope(more);
  }
  std::vector<std::string> drawn() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(out.file("figs"), none)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  void refused(const ProgramResult& result, int code, const std::string& word) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_TRUE(result.err.starts_with("qaq-scope: ")) << result.err;
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
    EXPECT_TRUE(drawn().empty());
  }

  TemporaryFolder folder, out;
  std::string path;
};

TEST_F(Session, FiguresOfAllItsViewsAreThoseOfTheCommandLine) {
  const auto result = draw({});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(drawn(), (std::vector<std::string>{"bits-more-bits.png", "bits-more-outliers.png",
                                               "two-attention.png"}));
  const auto one =
      run_scope({"figure", "bits", folder.file("set/c.h5"), "--prefix", "4", "--set",
                 "n_bits_max=6", "--layer", "0", "--head", "0", "-o", out.file("bits.png")});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(test::bytes_of_file(out.file("figs/bits-more-bits.png")),
            test::bytes_of_file(out.file("bits.png")));
}

TEST_F(Session, FiguresFollowPageFormatAndTheme) {
  EXPECT_EQ(draw({"--page", "2", "--format", "pdf", "--theme", "dark"}).exit_code, 0);
  EXPECT_EQ(drawn(), std::vector<std::string>{"two-attention.pdf"});
  EXPECT_TRUE(test::bytes_of_file(out.file("figs/two-attention.pdf")).starts_with("%PDF-"));
}

TEST_F(Session, OpensAfterItsFolderWasMoved) {
  fs::rename(folder.file("set"), folder.file("moved"));
  path = folder.file("moved/s.qaqsession");
  const auto result = draw({});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(drawn().size(), 3u);
}

TEST_F(Session, AMissingCaptureIsRefusedWithItsPlace) {
  fs::remove(folder.file("set/c.h5"));
  refused(draw({}), 3, "c.h5 was not found; put it there");
}

TEST_F(Session, AChangedCaptureIsDrawnAndSaid) {
  fs::remove(folder.file("set/c.h5"));
  fs::copy_file(test::test_data_path("badinputs/h5/ok_f16.h5"), folder.file("set/c.h5"));
  const auto result = draw({"--page", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("c.h5 is not the file"), std::string::npos) << result.err;
  EXPECT_EQ(drawn().size(), 2u);
}

TEST_F(Session, FlagsThatItAnswersItselfAreRefused) {
  refused(draw({"--set", "n_bits_max=3"}), 2, "--set");
  refused(draw({"--layer", "0"}), 2, "--layer");
  refused(draw({"--cell", "key,0,0,1"}), 2, "--cell");
  refused(draw({"--whole"}), 2, "--whole");
  const std::pair<const char*, const char*> others[]{{"--reducer", "min"},  {"--colors", "cividis"},
                                                     {"--error", "key"},    {"--scope", "layer"},
                                                     {"--count", "packed"}, {"--of", "bits"}};
  for (const auto& [flag, value] : others) {
    refused(draw({flag, value}), 2, cat(flag, ": does not go with --session"));
  }
  refused(draw({"--page", "3"}), 2, "--page");
  refused(draw({"--format", "gif"}), 2, "gif");
  refused(run_scope({"figure", "bits", kCapture, "--page", "1", "-o", out.file("figs/a.png")}), 2,
          "--page");
  refused(run_scope({"figure", "-o", out.file("figs")}), 2, "view");
  refused(run_scope({path, "--set", "n_bits_max=3", "--screenshot", out.file("figs/a.png")}), 2,
          "--set");
}

TEST_F(Session, AnOutputThatIsNoFolderIsAFailure) {
  std::ofstream(out.file("figs")) << "a file";
  const auto result = draw({});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("figs"), std::string::npos);
  EXPECT_EQ(test::bytes_of_file(out.file("figs")), "a file");
}

TEST_F(Session, ThePictureOfTheWindowIsThatOfItsCaptureAndSettings) {
  const auto picture = [&](const std::string& name, std::vector<std::string> words) {
    words.insert(words.end(),
                 {"--theme", "light", "--size", "1280x800", "--screenshot", out.file(name)});
    const auto result = run_scope(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return test::bytes_of_file(out.file(name));
  };
  const std::string shown = picture("a.png", {path});
  EXPECT_TRUE(shown.starts_with("\x89PNG"));
  EXPECT_EQ(shown, picture("b.png", {path}));
  EXPECT_NE(shown, picture("c.png", {folder.file("set/c.h5")}));
  fs::remove(folder.file("set/c.h5"));
  refused(run_scope({path, "--screenshot", out.file("d.png")}), 3, "c.h5 was not found");
}

class BadSession : public testing::TestWithParam<nlohmann::json> {};
INSTANTIATE_TEST_SUITE_P(Manifest, BadSession, testing::ValuesIn(test::bad_inputs("session")),
                         test::bad_input_name);

TEST_P(BadSession, IsRefusedAndNothingIsWritten) {
  const TemporaryFolder out;
  const auto result =
      run_scope({"figure", "--session", test::bad_input_path(GetParam()), "-o", out.file("figs/")});
  EXPECT_EQ(result.exit_code, GetParam().at("exit").get<int>()) << result.err;
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  EXPECT_TRUE(out.names().empty());
}

}  // namespace
}  // namespace qaq
