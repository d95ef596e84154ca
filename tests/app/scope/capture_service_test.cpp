// Captures from a tiny model through the window's form and its worker.
#include "app/scope/capture_service.h"

#include <QApplication>
#include <QTest>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "views/shell/capture_dialog.h"
#include "views/shell/main_window.h"

namespace qaq {
namespace {

using test::TemporaryFolder;

const std::string kModel = test::test_data_path("badinputs/gguf/ok_minimal.gguf");

views::CaptureForm form_for(const std::string& output) {
  return {.model = QString::fromStdString(kModel),
          .prompt = "ab",
          .generate = 3,
          .attention = "auto",
          .dtype = "f16",
          .output = QString::fromStdString(output)};
}

// Stands still in the first decode step until it is told to stop.
class StandStill : public Progress {
 public:
  StandStill(const Work& work, std::atomic<bool>& stands) : work_(work), stands_(stands) {}
  void update(const ProgressState& state) override {
    if (state.stage != "decode") return;
    stands_ = true;
    while (!work_.stopped()) std::this_thread::yield();
  }

 private:
  const Work& work_;
  std::atomic<bool>& stands_;
};

views::CaptureMaker standing_maker(std::atomic<bool>& stands) {
  views::CaptureMaker maker = scope::captureMaker();
  maker.make = [make = maker.make, &stands](const views::CaptureForm& form, const Work& work) {
    StandStill progress(work, stands);
    make(form, Work(&progress, work.stop_token()));
  };
  return maker;
}

bool wait_for(const std::function<bool()>& done) { return QTest::qWaitFor(done, 60'000); }

TEST(CaptureService, MakesTheSameCaptureAsTheCommandLine) {
  const TemporaryFolder folder;
  const std::string ours = folder.file("window.h5"), theirs = folder.file("cli.h5");
  views::CaptureDialog dialog(scope::captureMaker());
  QString written;
  QObject::connect(&dialog.job(), &views::CaptureJob::finished,
                   [&](const QString& path) { written = path; });
  dialog.setForm(form_for(ours));
  dialog.start();
  ASSERT_TRUE(wait_for([&] { return !written.isEmpty(); })) << dialog.stateText().toStdString();
  EXPECT_EQ(written.toStdString(), ours);
  const auto cli = test::run_program({QAQ_CLI_PROGRAM, "capture", "--model", kModel, "--prompt",
                                      "ab", "--generate", "3", "--dtype", "f16", "-o", theirs});
  ASSERT_EQ(cli.exit_code, 0) << cli.err;
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"cli.h5", "window.h5"}));

  const auto a = open_capture(ours), b = open_capture(theirs);
  EXPECT_EQ(a->info().token_ids, b->info().token_ids);
  EXPECT_EQ(a->info().model_sha256, b->info().model_sha256);
  EXPECT_EQ(a->info().dtype, b->info().dtype);
  EXPECT_TRUE(a->info().creator.starts_with("qaq-scope ")) << a->info().creator;
  EXPECT_EQ(
      a->info().command_line,
      "qaq capture --model ok_minimal.gguf --prompt ab --generate 3 --dtype f16 -o window.h5");
  const auto same = [](const auto& x, const auto& y) {
    return std::ranges::equal(x->span(), y->span());
  };
  for (std::int64_t layer = 0; layer < a->info().n_captured_layers(); ++layer) {
    EXPECT_TRUE(same(a->key(layer), b->key(layer)));
    EXPECT_TRUE(same(a->value(layer), b->value(layer)));
    EXPECT_TRUE(same(a->query(layer), b->query(layer)));
    EXPECT_TRUE(same(a->attention(layer, 0, a->info().n_query_rows()),
                     b->attention(layer, 0, b->info().n_query_rows())));
  }
}

TEST(CaptureService, SaysBeforehandWhatTheFileWillHold) {
  const TemporaryFolder folder;
  const auto form = form_for(folder.file("c.h5"));
  const auto forecast = scope::captureMaker().forecast(form, {});
  EXPECT_EQ(forecast.model, "tiny test model");
  EXPECT_EQ(forecast.mostTokens, forecast.promptTokens + 3);
  EXPECT_EQ(forecast.layers, 1);
  EXPECT_EQ(forecast.attention, "full");
  EXPECT_TRUE(folder.names().empty()) << "nothing is written yet";
  scope::captureMaker().make(form, {});
  const auto bytes = static_cast<double>(std::filesystem::file_size(folder.file("c.h5")));
  EXPECT_GT(static_cast<double>(forecast.bytes), 0.5 * bytes);
  EXPECT_LT(static_cast<double>(forecast.bytes), 2 * bytes);
}

TEST(CaptureService, RefusesWhatTheCommandLineRefuses) {
  const TemporaryFolder folder;
  const auto refused = [&](auto change, const std::string& word) {
    views::CaptureForm form = form_for(folder.file("c.h5"));
    change(form);
    for (const auto& call :
         {std::function<void()>([&] { scope::captureMaker().forecast(form, {}); }),
          std::function<void()>([&] { scope::captureMaker().make(form, {}); })}) {
      try {
        call();
        ADD_FAILURE() << "was taken; expected " << word;
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
      }
    }
  };
  refused([](auto& form) { form.layers = "5"; }, "no layer 5");
  refused([](auto& form) { form.attention = "some"; }, "no attention profile");
  refused([](auto& form) { form.generate = 1 << 20; }, "context");
  refused([](auto& form) { form.model = "none.gguf"; }, "none.gguf");
  refused([](auto& form) { form.promptFile = "none.txt"; }, "none.txt");
  EXPECT_TRUE(folder.names().empty());
}

TEST(CaptureService, CancelLeavesNoFileAndNotThatWhichWasThere) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("c.h5")) << "what was there";
  std::atomic<bool> stands = false;
  views::CaptureDialog dialog(standing_maker(stands));
  bool cancelled = false;
  QObject::connect(&dialog.job(), &views::CaptureJob::cancelled, [&] { cancelled = true; });
  dialog.setForm(form_for(folder.file("c.h5")));
  dialog.start();
  ASSERT_TRUE(wait_for([&] { return stands.load(); })) << dialog.stateText().toStdString();
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"c.h5", "c.h5.partial"}));
  dialog.job().cancel();
  ASSERT_TRUE(wait_for([&] { return cancelled; }));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"c.h5"});
  EXPECT_EQ(test::bytes_of_file(folder.file("c.h5")), "what was there");
}

TEST(CaptureService, ClosingTheWindowWhileItRunsLeavesNothing) {
  const TemporaryFolder folder;
  std::atomic<bool> stands = false;
  views::WindowServices services{.openCapture = [](const std::string& path, const Work& work) {
    return open_capture(path, work);
  }};
  services.capture = standing_maker(stands);
  auto window = std::make_unique<views::MainWindow>(services);
  window->show();
  window->captureDialog()->setForm(form_for(folder.file("c.h5")));
  window->captureDialog()->start();
  ASSERT_TRUE(wait_for([&] { return stands.load(); }));
  window->close();
  window.reset();
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace qaq
