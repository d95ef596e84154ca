// A slider that is dragged for ten seconds never holds the window's thread up, and what is shown in
// the end is what a fresh replay gives.
#include <QElapsedTimer>
#include <QSlider>
#include <gtest/gtest.h>

#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"
#include "tests/views/gui_watchdog.h"
#include "tests/views/views_fixture.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/timeline.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"

namespace qaq::views {
namespace {

// Sanitizers make everything slower, and nothing less responsive.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsInstrumented = true;
#else
constexpr bool kIsInstrumented = false;
#endif
// A picture held up for longer is seen; machines are shared, so that less is nobody's fault.
constexpr double kMostMs = kIsInstrumented ? 1000 : 500;
constexpr int kDragMs = 10000, kEventMs = 16;

class Drag : public testing::TestWithParam<int> {
 protected:
  static test::WatchedApplication& application() {
    return *static_cast<test::WatchedApplication*>(QCoreApplication::instance());
  }
  static SharedCapture capture() {
    const qaq::test::SyntheticShape shape{
        .n_layers = 30, .n_heads = 9, .n_kv_heads = 3, .n_tokens = GetParam(), .head_dim = 64};
    CaptureInfo info = qaq::test::synthetic_info(shape);
    info.profile = AttentionProfile::derive;
    test::nameTokens(info);
    return std::make_shared<MemoryCapture>(info, qaq::test::arrays_without_attention(shape, 1));
  }
};

TEST(Watchdog, SeesWhatHoldsTheThreadUp) {
  auto& application = *static_cast<test::WatchedApplication*>(QCoreApplication::instance());
  application.forget();
  QObject receiver;
  QMetaObject::invokeMethod(
      &receiver, [] { QTest::qSleep(60); }, Qt::QueuedConnection);
  QApplication::processEvents();
  EXPECT_GT(application.longest(), 55);
  application.forget();
  QMetaObject::invokeMethod(
      &receiver, [] {}, Qt::QueuedConnection);
  QApplication::processEvents();
  EXPECT_LT(application.longest(), 55);
}

TEST_P(Drag, OfTenSecondsNeverHoldsTheWindowUp) {
  const SharedCapture shared = capture();
  MainWindow window([shared](const std::string&, const Work&) { return shared; });
  window.resize(1600, 1000);
  window.show();
  window.workspace().open("synthetic.h5");
  ASSERT_TRUE(test::waitFor([&] { return window.workspace().shown() != nullptr; }));

  int results = 0;
  QObject::connect(&window.workspace(), &Workspace::changed, &window, [&] { ++results; });
  QSlider* slider = window.parameters()->field("key.target_quantization_error")->slider();
  TimelineTrack* track = window.timeline()->track();
  application().forget();
  QElapsedTimer timer;
  timer.start();
  slider->setSliderDown(true);
  for (int event = 0; timer.elapsed() < kDragMs; ++event) {
    // There and back, with the pointer on the maps now and then.
    const int phase = event % 200;
    slider->setSliderPosition(200 + 4 * std::min(phase, 200 - phase));
    if (event % 10 == 0) {
      const MapPane* pane = window.page()->current()->panes().at(event / 10 % 4);
      const QPointF at(100 + event % 300, 100);
      QMouseEvent move(QEvent::MouseMove, at, pane->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                       {});
      QApplication::sendEvent(const_cast<MapPane*>(pane), &move);
    }
    const qint64 next = timer.elapsed() + kEventMs;
    while (timer.elapsed() < next) QApplication::processEvents(QEventLoop::AllEvents, kEventMs);
  }
  slider->setSliderDown(false);
  EXPECT_LT(application().longest(), kMostMs) << application().longestOf().toStdString();
  RecordProperty("longest_us", static_cast<int>(1000 * application().longest()));
  EXPECT_GT(results, kIsInstrumented ? 0 : 20) << "the window follows the drag";

  // Scrubbing, too.
  application().forget();
  QTest::mousePress(track, Qt::LeftButton, {}, QPoint(static_cast<int>(track->xOf(20)), 20));
  for (int step = 20; step < 40; ++step) {
    const QPointF at(track->xOf(step), 20);
    QMouseEvent move(QEvent::MouseMove, at, track->mapToGlobal(at), Qt::NoButton, Qt::LeftButton,
                     {});
    QApplication::sendEvent(track, &move);
    QApplication::processEvents(QEventLoop::AllEvents, kEventMs);
  }
  QTest::mouseRelease(track, Qt::LeftButton, {}, QPoint(static_cast<int>(track->xOf(40)), 20));
  ASSERT_TRUE(test::waitFor([&] { return window.isSettled(); }));
  ASSERT_TRUE(test::waitFor([&] { return window.isSettled(); }));
  EXPECT_LT(application().longest(), kMostMs) << application().longestOf().toStdString();

  const SharedAnalysis& shown = window.workspace().shown()->analysis;
  EXPECT_EQ(shown->replay->prefix, 40);
  const auto fresh = analyse({.capture = shared,
                              .params = window.workspace().params(),
                              .prefix = window.workspace().prefix(),
                              .through = Analysis::Stage::errors});
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto got = shown->cache(side).bits.span(), want = fresh->cache(side).bits.span();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()));
  }
  EXPECT_EQ(shown->replay->key.quantization_error, fresh->replay->key.quantization_error);
}

INSTANTIATE_TEST_SUITE_P(Tokens, Drag, testing::Values(96, kIsInstrumented ? 256 : 2048));

}  // namespace
}  // namespace qaq::views
