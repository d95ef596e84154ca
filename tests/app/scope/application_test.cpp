// The one QApplication of this program's tests; they run on the offscreen platform.
#include <QApplication>
#include <cstdio>
#include <gtest/gtest.h>
#include <vector>

int main(int argc, char** argv) {
  // The offscreen platform remarks on what it does not do at every window.
  qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (!text.contains("propagateSizeHints") || type == QtFatalMsg) {
      std::fprintf(stderr, "%s\n", qPrintable(text));
    }
  });
  testing::InitGoogleTest(&argc, argv);
  // By flag, not by environment, so that the programs that are started here do without.
  char flag[] = "-platform", platform[] = "offscreen";
  std::vector<char*> words(argv, argv + argc);
  words.insert(words.end(), {flag, platform, nullptr});
  int count = argc + 2;
  const QApplication application(count, words.data());
  return RUN_ALL_TESTS();
}
