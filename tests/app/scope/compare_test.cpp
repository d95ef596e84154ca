// A and B on the command line of the window: figures of both, and what is refused.
#include <QImage>
#include <filesystem>
#include <gtest/gtest.h>

#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"

namespace qaq::scope {
namespace {

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

class CompareProgram : public testing::Test {
 protected:
  CompareProgram() {
    std::filesystem::copy_file(kSample, capture);
    for (const auto& [name, target] : {std::pair{"loose", "1"}, std::pair{"tight", "0.01"}}) {
      const auto saved = test::run_program(
          {QAQ_CLI_PROGRAM, "replay", capture, "--prefix", "48", "--set",
           std::string("target_quantization_error=") + target, "--save", name, "--quiet"});
      EXPECT_EQ(saved.exit_code, 0) << saved.err;
    }
  }
  test::ProgramResult scope(std::vector<std::string> words) {
    words.insert(words.begin(), QAQ_PROGRAM);
    return test::run_program(words, {.environment = {"DISPLAY=", "WAYLAND_DISPLAY="}});
  }

  test::TemporaryFolder folder;
  std::string capture = folder.file("story.h5");
};

TEST_F(CompareProgram, DrawsStoredRunsAgainstEachOther) {
  for (const std::string view : {"compare", "overlay", "delta"}) {
    const std::string picture = folder.file(view + ".png");
    const auto drawn =
        scope({"figure", view, capture + "#tight", "--against", capture + "#loose", "-o", picture});
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    const QImage image(QString::fromStdString(picture));
    EXPECT_GT(image.width(), 300) << view;
    const QString text = image.text(QStringLiteral("Description"));
    EXPECT_TRUE(text.contains("against")) << "both settings are told: " << text.toStdString();
  }
}

TEST_F(CompareProgram, PicturesTheWindowOfBoth) {
  const std::string picture = folder.file("w.png");
  const auto shown =
      scope({capture + "#loose", "--compare", capture + "#tight", "--screenshot", picture});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_FALSE(QImage(QString::fromStdString(picture)).isNull());
}

TEST_F(CompareProgram, RefusesWhatIsNotThere) {
  const auto refused = [this](const std::vector<std::string>& words, const char* why) {
    const auto result = scope(words);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.err.find(why), std::string::npos) << result.err;
  };
  const std::string out = folder.file("x.png");
  refused({"figure", "compare", capture, "-o", out}, "--against: is missing");
  refused({"figure", "compare", capture, "--against", capture + "#none", "-o", out}, "none");
  refused({"figure", "bits", capture, "--against", capture, "-o", out},
          "is no flag of figure bits");
  refused(
      {"figure", "compare", capture + "#tight", "--against", capture, "--prefix", "8", "-o", out},
      "does not go with the run 'tight'");
  refused({"--compare", capture, "--screenshot", out}, "has no capture before it");
  refused({capture + "#none", "--compare", capture, "--screenshot", out}, "none");
}

}  // namespace
}  // namespace qaq::scope
