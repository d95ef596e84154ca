// The timeline scrubs the decode step.
#include "views/panels/timeline.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

class TimelineBar : public testing::Test {
 protected:
  TimelineBar() {
    bar.resize(800, 40);
    bar.setCapture(test::plantedInfo(), 0);
    bar.show();
    QApplication::processEvents();
  }
  QPoint at(int step) { return {static_cast<int>(bar.track()->xOf(step)), 20}; }

  Timeline bar;
  QSignalSpy chosen{&bar, &Timeline::prefixChosen};
};

TEST_F(TimelineBar, BeginsWithTheWholeCapture) {
  EXPECT_EQ(bar.text(), "All 40 tokens");
  bar.setPrefix(12);
  EXPECT_EQ(bar.text(), "Decode step 12 of 39");
  EXPECT_EQ(chosen.count(), 0) << "showing is not choosing";
}

TEST_F(TimelineBar, ADragPreviewsAndItsReleaseIsFinal) {
  QTest::mousePress(bar.track(), Qt::LeftButton, {}, at(10));
  QMouseEvent move(QEvent::MouseMove, at(20), bar.track()->mapToGlobal(QPointF(at(20))),
                   Qt::NoButton, Qt::LeftButton, {});
  QApplication::sendEvent(bar.track(), &move);
  QTest::mouseRelease(bar.track(), Qt::LeftButton, {}, at(20));
  ASSERT_EQ(chosen.count(), 3);
  const auto is = [&](int i, qint64 prefix, bool isFinal) {
    EXPECT_EQ(chosen[i][0].value<std::int64_t>(), prefix);
    EXPECT_EQ(chosen[i][1].toBool(), isFinal);
  };
  is(0, 10, false);
  is(1, 20, false);
  is(2, 20, true);
}

TEST_F(TimelineBar, KeysStepAndStopAtTheEnds) {
  bar.track()->setFocus();
  QTest::keyClick(bar.track(), Qt::Key_Left);
  EXPECT_EQ(bar.track()->step(), 39);
  QTest::keyClick(bar.track(), Qt::Key_PageDown);
  EXPECT_EQ(bar.track()->step(), 29);
  QTest::keyClick(bar.track(), Qt::Key_Home);
  QTest::keyClick(bar.track(), Qt::Key_Left);
  EXPECT_EQ(bar.track()->step(), 1);
  QTest::keyClick(bar.track(), Qt::Key_End);
  EXPECT_EQ(chosen.back()[0].value<std::int64_t>(), 0) << "the end is the whole capture";
}

TEST_F(TimelineBar, StepsInWhichImportanceJumpedAreMarkedOnce) {
  bar.setViolations({{.step = 30, .token = 7}, {.step = 12, .token = 3}, {.step = 30, .token = 8}});
  EXPECT_EQ(bar.track()->marks(), (QList<int>{12, 30}));
  const QImage image = bar.track()->grab().toImage();
  const QRgb color = Theme::of(ThemeKind::light).violation.rgb();
  EXPECT_EQ(image.pixel(static_cast<int>(bar.track()->xOf(12)), 7), color);
  EXPECT_NE(image.pixel(static_cast<int>(bar.track()->xOf(20)), 7), color);
}

}  // namespace
}  // namespace qaq::views
