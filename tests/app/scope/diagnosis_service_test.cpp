// A diagnosis of a capture of a tiny model, through the window's service and through the program.
#include "app/scope/diagnosis_service.h"

#include <QApplication>
#include <QRegularExpression>
#include <QTest>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/scope/capture_service.h"
#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_task.h"
#include "views/models/diagnoser.h"
#include "views/panels/failures_panel.h"
#include "views/panels/why_panel.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/window_commands.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::kTiny;
using test::TemporaryFolder;

constexpr int kPrefix = 40;
const char* const kText = "Once upon a time, there were 3 ships and one lighthouse by the sea.";

class DiagnosisService : public testing::Test {
 protected:
  DiagnosisService() : path(folder.file("tiny.h5")) {
    scope::captureMaker().make({.model = QString::fromStdString(kTiny),
                                .prompt = kText,
                                .attention = "auto",
                                .dtype = "f32",
                                .output = QString::fromStdString(path)},
                               {});
    request = {.form = {.model = QString::fromStdString(kTiny), .prefix = kPrefix},
               .capture = open_capture(path),
               .path = QString::fromStdString(path)};
    // What is planted: one bit for everything.
    for (QaqSideParams* side : {&request.params.qaq.key, &request.params.qaq.value}) {
      side->use_attentions = false;
      side->n_bits_uniform = 1;
    }
  }

  // Runs a command of the diagnosis in a shell, its file names replaced by where they are.
  test::ProgramResult runAgain(const std::string& command, const std::string& more) const {
    const QFileInfo model(QString::fromStdString(kTiny));
    QString line = QString::fromStdString(command + more);
    line.replace(model.fileName(), model.absoluteFilePath());
    line.replace("qaq-scope tiny.h5", "qaq-scope " + QString::fromStdString(path));
    line.replace(QRegularExpression("^qaq-scope"), QAQ_PROGRAM);
    line.replace(QRegularExpression("^qaq "), QAQ_CLI_PROGRAM " ");
    return test::run_program({"/bin/sh", "-c", line.toStdString()});
  }

  TemporaryFolder folder;
  std::string path;
  views::DiagnosisRequest request;
};

TEST_F(DiagnosisService, SaysWhatTheCommandLineSays) {
  const auto made = scope::diagnosisMaker().make(request, {});
  const Diagnosis& ours = made->diagnosis;
  ASSERT_EQ(ours.steps.size(),
            static_cast<std::size_t>(request.capture->info().n_tokens - kPrefix));
  EXPECT_EQ(ours.steps[0].token, request.capture->info().token_ids[kPrefix]);
  ASSERT_GE(made->subject.commands.size(), 2u);
  const std::string& command = made->subject.commands[0];
  ASSERT_TRUE(command.starts_with("qaq diagnose ")) << command;
  const auto result = runAgain(command, " --json --quiet");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json theirs = json::parse(result.out);
  const json mine = json::parse(diagnosis_json(ours, made->subject).dump());
  for (const char* part : {"outcome", "steps", "cells", "causes", "replays", "step"}) {
    EXPECT_EQ(mine[part], theirs[part]) << part;
  }
}

TEST_F(DiagnosisService, TextOfItsOwnFollowsAWholeCapture) {
  request.form.prefix = static_cast<int>(request.capture->info().n_tokens);
  request.form.generate = 5;
  const auto made = scope::diagnosisMaker().make(request, {});
  ASSERT_FALSE(made->diagnosis.steps.empty());
  EXPECT_LE(made->diagnosis.steps.size(), 5u);
  EXPECT_EQ(made->diagnosis.steps[0].position, request.form.prefix);
}

TEST_F(DiagnosisService, RefusesAnotherModel) {
  const auto refused = [&](const std::string& word) {
    try {
      scope::diagnosisMaker().make(request, {});
      ADD_FAILURE() << "was taken; expected " << word;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  request.capture = open_capture(std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5");
  refused("is not the model of letter.h5: it has");
  request.form.prefix = 1 << 20;
  refused("tokens to quantize");
  request.form.model = "none.gguf";
  request.form.prefix = kPrefix;
  refused("none.gguf");
}

TEST_F(DiagnosisService, KnowsTheModelOfACapture) {
  const auto maker = scope::diagnosisMaker();
  const auto sample = open_capture(std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5");
  EXPECT_EQ(maker.modelOf(sample->info(), "letter.h5"), "smollm2-135m");
  const QString name = QFileInfo(QString::fromStdString(kTiny)).fileName();
  EXPECT_EQ(maker.modelOf(request.capture->info(), request.path), name);
  std::ofstream(folder.file(name.toStdString())) << "beside the capture";
  EXPECT_EQ(maker.modelOf(request.capture->info(), request.path).toStdString(),
            folder.file(name.toStdString()));
}

TEST_F(DiagnosisService, TheWindowFindsAFaultAndWritesIt) {
  views::WindowServices services{.openCapture = [](const std::string& file, const Work& work) {
    return open_capture(file, work);
  }};
  services.diagnosis = scope::diagnosisMaker();
  views::MainWindow window(services);
  window.show();
  window.setSettings(request.params, 0);
  const auto settle = [&] {
    return QTest::qWaitFor([&] { return window.isSettled() && window.workspace().shown(); },
                           60'000);
  };
  window.openFile(QString::fromStdString(path));
  ASSERT_TRUE(settle());
  auto& commands = window.commands().registry();
  commands.triggerLine(
      QStringLiteral("diagnose \"%1\" %2").arg(QString::fromStdString(kTiny)).arg(kPrefix));
  ASSERT_TRUE(settle());
  ASSERT_TRUE(window.diagnoser()->result()) << window.notice()->text().toStdString();
  const Diagnosis& diagnosis = window.diagnoser()->result()->diagnosis;
  EXPECT_FALSE(diagnosis.cells.empty());
  EXPECT_EQ(window.why()->causes().size(), qsizetype(diagnosis.causes.size()));
  EXPECT_GT(window.failures()->table()->rowCount(), 0);
  for (const char* ending : {"html", "md"}) {
    const std::string report = folder.file(std::string("why.") + ending);
    commands.triggerLine(QStringLiteral("export-report %1").arg(QString::fromStdString(report)));
    ASSERT_TRUE(settle());
    const std::string page = test::bytes_of_file(report);
    for (const char* part :
         {"What broke", "The same again", "n_bits_uniform", "qaq-scope tiny.h5"}) {
      EXPECT_NE(page.find(part), std::string::npos) << part;
    }
    for (const DiagnosedCause& cause : diagnosis.causes) {
      EXPECT_NE(page.find(cause.title), std::string::npos) << cause.title;
    }
    EXPECT_EQ(page.find(folder.path().string()), std::string::npos) << "no folder is named";
  }
  EXPECT_NE(test::bytes_of_file(folder.file("why.html")).find("data:image/png;base64,iVBOR"),
            std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.file("why-broke.png")));
  commands.triggerLine(
      QStringLiteral("export-report %1").arg(QString::fromStdString(folder.file("why.pdf"))));
  ASSERT_TRUE(settle());
  EXPECT_TRUE(window.notice()->text().contains(".html nor .md"));
}

TEST_F(DiagnosisService, TheProgramDiagnosesForAPicture) {
  const auto made = scope::diagnosisMaker().make(request, {});
  const auto& commands = made->subject.commands;
  const auto found = std::ranges::find_if(
      commands, [](const std::string& each) { return each.starts_with("qaq-scope "); });
  ASSERT_NE(found, commands.end());
  const std::string report = folder.file("why.md"), picture = folder.file("w.png");
  const auto result =
      runAgain(*found, " --do 'export-report " + report + "' --screenshot " + picture);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::string page = test::bytes_of_file(report);
  std::erase(page, '\\');  // which Markdown has before signs
  EXPECT_NE(page.find(diagnosis_summary(made->diagnosis, made->subject)), std::string::npos)
      << page;
}

}  // namespace
}  // namespace qaq
