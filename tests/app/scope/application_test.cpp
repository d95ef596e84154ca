// The one QApplication of this program's tests; they run on the offscreen platform.
#include <QApplication>
#include <cstdio>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  // The offscreen platform remarks on what it does not do at every window.
  qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (!text.contains("propagateSizeHints") || type == QtFatalMsg) {
      std::fprintf(stderr, "%s\n", qPrintable(text));
    }
  });
  testing::InitGoogleTest(&argc, argv);
  const QApplication application(argc, argv);
  return RUN_ALL_TESTS();
}
