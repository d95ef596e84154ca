// The one QApplication of this program's tests; they run on the offscreen platform.
#include <QApplication>
#include <cstdio>
#include <gtest/gtest.h>

#include "tests/views/gui_watchdog.h"

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  // The offscreen platform remarks on what it does not do at every window.
  qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (!text.contains("propagateSizeHints") || type == QtFatalMsg) {
      std::fprintf(stderr, "%s\n", qPrintable(text));
    }
  });
  testing::InitGoogleTest(&argc, argv);
  const qaq::views::test::WatchedApplication application(argc, argv);
  return RUN_ALL_TESTS();
}
