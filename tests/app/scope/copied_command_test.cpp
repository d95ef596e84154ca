// What the window copies as a command line makes, in a shell, exactly what the window shows.
#include <QApplication>
#include <QDeadlineTimer>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/replay/replay.h"
#include "data/capture/capture_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "views/shell/main_window.h"

namespace qaq {
namespace {

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

bool settle(views::MainWindow& window) {
  const QDeadlineTimer deadline(60000);
  for (int quiet = 0; quiet < 5; quiet = window.isSettled() ? quiet + 1 : 0) {
    if (deadline.hasExpired()) return false;
    QApplication::processEvents(QEventLoop::AllEvents, 20);
  }
  return true;
}

// A shell that finds our programs first.
test::ProgramResult in_a_shell(const QString& command) {
  const std::string programs = std::filesystem::path(QAQ_CLI_PROGRAM).parent_path().string();
  return test::run_program(
      {"/bin/sh", "-c", "PATH='" + programs + "':$PATH; " + command.toStdString()});
}

class CopiedCommand : public testing::TestWithParam<std::vector<const char*>> {};

TEST_P(CopiedCommand, GivesTheSameNumbersToTheLastDigit) {
  views::MainWindow window(
      [](const std::string& path, const Work& work) { return open_capture(path, work); });
  ScopeParams params;
  for (const char* assignment : GetParam()) {
    const auto [name, value] = split_assignment(assignment);
    if (name == "policy") {
      set_policy(params, value);
    } else {
      set_parameter(params, name, std::string(value));
    }
  }
  window.setSettings(params, 50);
  window.show();
  window.workspace().open(QString::fromStdString(kSample));
  ASSERT_TRUE(settle(window));
  const test::ProgramResult result = in_a_shell(window.replayCommand() + " --json --quiet");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto metrics = nlohmann::ordered_json::parse(result.out)["metrics"];
  EXPECT_EQ(metrics.dump(), metrics_json(*window.workspace().shown()->analysis->replay).dump());
}

INSTANTIATE_TEST_SUITE_P(
    Settings, CopiedCommand,
    testing::Values(std::vector<const char*>{},
                    std::vector<const char*>{"target_quantization_error=0.03", "key.level=token"},
                    std::vector<const char*>{"value.use_attentions=false", "n_bits_uniform=3",
                                             "outliers_ratio=0.0123", "q_norm=auto"},
                    std::vector<const char*>{"variant=bound", "target_quantization_error=0.01"},
                    std::vector<const char*>{"policy=kivi", "k_bits=4", "group_size=32",
                                             "residual_length=32"},
                    std::vector<const char*>{"policy=q8_0", "rotate=hadamard"}));

TEST(CopiedFigureCommand, DrawsEveryViewInAShell) {
  const test::TemporaryFolder folder;
  views::MainWindow window(
      [](const std::string& path, const Work& work) { return open_capture(path, work); });
  window.show();
  window.workspace().open(QString::fromStdString(kSample));
  ASSERT_TRUE(settle(window));
  window.workspace().selection().lock({.layer = 17, .kvHead = 1, .token = 37});
  window.compareWithWhole();
  ASSERT_TRUE(settle(window));
  for (const char* view :
       {"bits", "outliers", "attention", "persistence", "errors", "distributions", "tradeoff",
        "tokens", "memory", "table", "formula", "compare", "overlay", "delta"}) {
    QString command = window.figureCommand(view);
    command.replace(QStringLiteral("-o "), "-o " + QString::fromStdString(folder.file("")));
    const test::ProgramResult result = in_a_shell(command);
    EXPECT_EQ(result.exit_code, 0) << command.toStdString() << "\n" << result.err;
    EXPECT_TRUE(std::filesystem::exists(folder.file(std::string(view) + ".png"))) << view;
  }
}

}  // namespace
}  // namespace qaq
