// What the window keeps in the user's state folder: recent files, copies of sessions.

#include <QCoreApplication>
#include <QFileInfo>
#include <QImage>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>

#include "app/scope/recent_files.h"
#include "app/scope/recovery.h"
#include "app/scope/samples.h"
#include "app/scope/session_state.h"
#include "data/capture/capture_file.h"
#include "data/session/session_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq::scope {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");

TEST(RecentFileList, HoldsTenNewestFirstEachOnce) {
  const TemporaryFolder folder;
  const QString file = QString::fromStdString(folder.file("new/folder/recent.json"));
  RecentFileList recent(file);
  EXPECT_TRUE(recent.list().isEmpty());
  for (int i = 0; i < 12; ++i) recent.add(QStringLiteral("/data/%1.h5").arg(i));
  recent.add("/data/7.h5");
  const auto list = RecentFileList(file).list();
  ASSERT_EQ(list.size(), 10);
  EXPECT_EQ(list[0].path, "/data/7.h5");
  EXPECT_EQ(list[1].path, "/data/11.h5");
  EXPECT_EQ(list[9].path, "/data/2.h5");
  EXPECT_FALSE(list[0].exists);
  EXPECT_LT(list[0].opened.secsTo(QDateTime::currentDateTime()), 60);
  recent.remove("/data/11.h5");
  EXPECT_EQ(recent.list()[1].path, "/data/10.h5");
  recent.add(QString::fromStdString(kCapture));
  EXPECT_TRUE(recent.list()[0].exists);
}

TEST(RecentFileList, ABrokenListStopsNobody) {
  const TemporaryFolder folder;
  const std::string file = folder.file("recent.json");
  for (const std::string text :
       {"", "{", "[]", "{\"format\": \"other\", \"files\": [1]}",
        "{\"format\": \"qaq-recent\", \"files\": [1, {}, {\"path\": 3}]}"}) {
    std::ofstream(file) << text;
    RecentFileList recent(QString::fromStdString(file));
    EXPECT_TRUE(recent.list().isEmpty()) << text;
    recent.add("/data/a.h5");
    EXPECT_EQ(recent.list().size(), 1) << text;
  }
  RecentFileList nowhere(QString::fromStdString(kCapture + "/recent.json"));
  nowhere.add("/data/a.h5");
  EXPECT_TRUE(nowhere.list().isEmpty());
}

views::SessionState some_state() {
  views::SessionState state;
  state.capture = QString::fromStdString(kCapture);
  state.prefix = 5;
  return state;
}

TEST(RecoveryFolder, KeepsOneCopyAndTakesItAwayWhenItCloses) {
  const TemporaryFolder folder;
  {
    RecoveryFolder recovery(QString::fromStdString(folder.file("sessions")));
    EXPECT_EQ(recovery.offered(), "");
    EXPECT_TRUE(folder.names().empty()) << "nothing before there is something to keep";
    recovery.keep(some_state());
    recovery.keep(some_state());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.file("sessions")), {}), 2)
        << "the copy and its lock";
    EXPECT_EQ(recovery.offered(), "") << "one's own copy is not offered";
    RecoveryFolder second(QString::fromStdString(folder.file("sessions")));
    EXPECT_EQ(second.offered(), "") << "nor that of a window beside";
    recovery.close();
    recovery.keep(some_state());
  }
  EXPECT_TRUE(fs::is_empty(folder.file("sessions")));
}

TEST(RecoveryFolder, OffersTheNewestThatNobodyHoldsToOneWindow) {
  const TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.path().string());
  const SessionFile session = sessionFileOf(some_state(), folder.file("x"));
  for (const char* name : {"20200101-000000000-1", "20210101-000000000-1"}) {
    write_session(folder.file(std::string(name) + ".qaqsession"), session);
  }
  // The lock of a process that is gone, as QLockFile writes it.
  std::ofstream(folder.file("20210101-000000000-1.lock"))
      << "2147483646\nqaq-scope\n"
      << QSysInfo::machineHostName().toStdString() << "\n";
  RecoveryFolder recovery(path);
  EXPECT_EQ(recovery.offered(), path + "/20210101-000000000-1.qaqsession");
  RecoveryFolder second(path);
  EXPECT_EQ(second.offered(), path + "/20200101-000000000-1.qaqsession") << "each once";
  recovery.discardOffered();
  EXPECT_FALSE(fs::exists(folder.file("20210101-000000000-1.qaqsession")));
  EXPECT_EQ(recovery.offered(), "") << "the other is offered beside";
  second.close();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"20200101-000000000-1.qaqsession"})
      << "what was not answered is offered again";
}

TEST(Samples, AreThereAndCanBeOpened) {
  const auto samples = bundledSamples();
  ASSERT_EQ(samples.size(), 3);
  for (const views::Sample& sample : samples) {
    EXPECT_GT(open_capture(sample.path.toStdString())->info().n_tokens, 0);
    EXPECT_FALSE(sample.title.isEmpty());
  }
}

// The program itself.

class Crash : public testing::Test {
 protected:
  test::ProgramResult run(std::vector<std::string> words, const test::ProgramOptions& how = {}) {
    words.insert(words.begin(), QAQ_PROGRAM);
    test::ProgramOptions options = how;
    options.environment = {"QT_QPA_PLATFORM=offscreen", "XDG_STATE_HOME=" + state.path().string()};
    return test::run_program(words, options);
  }
  // Names of the copies.
  std::vector<std::string> copies() const {
    std::vector<std::string> out;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(state.file("qaq-scope/sessions"), none)) {
      if (entry.path().extension() == ".qaqsession") out.push_back(entry.path());
    }
    return out;
  }
  void crash() {
    const auto killed =
        run({kCapture, "--prefix", "4", "--set", "n_bits_max=6", "--theme", "light"},
            {.signal_when = [this] { return !copies().empty(); }, .signal = SIGKILL});
    ASSERT_EQ(killed.exit_code, -SIGKILL) << killed.err;
    ASSERT_EQ(copies().size(), 1u);
  }

  TemporaryFolder state, folder;
};

TEST_F(Crash, WhatWasOpenIsOfferedAtTheNextStartAndComesBack) {
  const auto picture = [this](const std::string& name, std::vector<std::string> words) {
    words.insert(words.end(), {"--screenshot", folder.file(name), "--theme", "light"});
    const auto drawn = run(words);
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    return QImage(QString::fromStdString(folder.file(name)));
  };
  // Share of pixels: docks that come back may stand a pixel off.
  const auto difference = [](const QImage& a, const QImage& b) {
    EXPECT_EQ(a.size(), b.size());
    int n = 0;
    for (int y = 0; y < a.height(); ++y) {
      for (int x = 0; x < a.width(); ++x) n += a.pixel(x, y) != b.pixel(x, y);
    }
    return static_cast<double>(n) / (a.width() * a.height());
  };
  const QImage plain = picture("plain.png", {});
  crash();
  fs::remove(state.file("qaq-scope/recent.json"));
  EXPECT_GT(difference(picture("offer.png", {}), plain), 0.001) << "the bar is there";
  EXPECT_EQ(copies().size(), 1u) << "a picture answers nothing";
  const QImage restored = picture("restored.png", {"--restore"});
  const QImage open = picture("open.png", {kCapture, "--prefix", "4", "--set", "n_bits_max=6"});
  EXPECT_LT(difference(restored, open), 0.01);
  EXPECT_GT(difference(restored, picture("other.png", {kCapture})), 0.02);
}

TEST_F(Crash, AWindowThatRunsIsNoCrash) {
  const auto killed =
      run({kCapture},
          {.signal_when =
               [this] {
                 if (copies().empty()) return false;
                 RecoveryFolder beside(QString::fromStdString(state.file("qaq-scope/sessions")));
                 EXPECT_EQ(beside.offered(), "");
                 return true;
               },
           .signal = SIGKILL});
  EXPECT_EQ(killed.exit_code, -SIGKILL);
  RecoveryFolder after(QString::fromStdString(state.file("qaq-scope/sessions")));
  ASSERT_EQ(copies().size(), 1u);
  EXPECT_EQ(after.offered().toStdString(), copies()[0]);
}

}  // namespace
}  // namespace qaq::scope
