#include "views/shell/start_page.h"

#include <QLabel>
#include <QToolButton>
#include <gtest/gtest.h>

#include "tests/views/session_fakes.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/recent_list.h"
#include "views/shell/start_cards.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

WindowServices servicesWithSamples() {
  ScopeParams coarse;
  set_parameter(coarse, "use_attentions", false);
  set_parameter(coarse, "n_bits_uniform", std::int64_t{3});
  WindowServices services{.openCapture = openFake};
  services.samples = {{"Bits", "/s/planted.h5", {}, "bits"},
                      {"Attention", "/s/planted.h5", {}, "attention"},
                      {"Three bits", "/s/planted.h5", coarse, "bits"},
                      {"Broken", "/s/broken.h5", {}, "bits"}};
  services.recent = std::make_shared<FakeRecent>();
  return services;
}

class Start : public testing::Test {
 protected:
  Start() : window(services) {
    window.setThemeChoice(MainWindow::ThemeChoice::light);
    window.resize(1280, 800);
    window.show();
  }
  void settle() {
    ASSERT_TRUE(waitFor([this] { return window.isSettled(); }));
  }
  FakeRecent& recent() { return static_cast<FakeRecent&>(*services.recent); }
  QAbstractButton* row(const QString& file) {
    for (auto* button : window.findChildren<QAbstractButton*>()) {
      if (button->toolTip() == file) return button;
    }
    return nullptr;
  }

  WindowServices services = servicesWithSamples();
  MainWindow window;
};

TEST_F(Start, SamplesShowWhatIsInThem) {
  settle();
  const auto& cards = window.startPage()->samples();
  ASSERT_EQ(cards.size(), 4u);
  EXPECT_EQ(cards[0]->picture().size(), SampleCard::kPicture * window.devicePixelRatioF());
  EXPECT_TRUE(cards[0]->facts().contains("40 tokens · 3 layers, 2 KV heads"))
      << cards[0]->facts().toStdString();
  EXPECT_TRUE(cards[1]->facts().contains("layer 1, KV head 1 · 1 jump of importance"))
      << cards[1]->facts().toStdString();
  EXPECT_TRUE(cards[2]->facts().contains("target error 1: V keeps 3.00 bits on average"))
      << cards[2]->facts().toStdString();
  // Three bits everywhere, apart from the layer that was not captured.
  const QRgb three = Palette::of(ThemeKind::light).bits(3);
  const QImage& picture = cards[2]->picture();
  EXPECT_EQ(picture.pixel(picture.width() / 2, 4), three);
  EXPECT_GT(countPixels(picture, three), picture.width() * picture.height() / 2);
  // The future is blank, the past is not.
  const QImage& attention = cards[1]->picture();
  EXPECT_EQ(attention.pixel(attention.width() - 3, 3), Theme::of(ThemeKind::light).surface.rgb());
  EXPECT_NE(attention.pixel(3, attention.height() - 3), Theme::of(ThemeKind::light).surface.rgb());
  EXPECT_TRUE(cards[3]->picture().isNull());
  EXPECT_TRUE(cards[3]->facts().contains("is missing")) << "the others are drawn all the same";
}

TEST_F(Start, SamplesAreDrawnInTheThemeOfTheWindow) {
  settle();
  window.setThemeChoice(MainWindow::ThemeChoice::dark);
  settle();
  const QRgb three = Palette::of(ThemeKind::dark).bits(3);
  ASSERT_NE(three, Palette::of(ThemeKind::light).bits(3));
  EXPECT_GT(countPixels(window.startPage()->samples()[2]->picture(), three), 0);
}

TEST_F(Start, OneClickLeadsFromASampleToItsView) {
  settle();
  window.page()->setPages({{"One", {{"bits"}}}, {"Two", {{"attention"}}}});
  QTest::mouseClick(window.startPage()->samples()[1], Qt::LeftButton);
  settle();
  EXPECT_FALSE(window.startPage()->isVisible());
  EXPECT_EQ(window.workspace().path(), "/s/planted.h5");
  EXPECT_EQ(window.page()->currentIndex(), 1);
  EXPECT_EQ(recent().names(), QStringList()) << "a sample is no file of the user";
}

TEST_F(Start, ASampleBringsItsParameters) {
  settle();
  window.startPage()->samples()[2]->setFocus();
  QTest::keyClick(window.startPage()->samples()[2], Qt::Key_Space);
  settle();
  EXPECT_EQ(window.workspace().params().qaq.value.n_bits_uniform, 3);
  EXPECT_TRUE(window.workspace().isCurrent());
}

TEST_F(Start, RecentFilesOpenAndMissingOnesSaySo) {
  recent().add("/data/small.h5");
  recent().setMissing("/gone/lost.h5");
  window.startPage()->refresh();
  settle();
  ASSERT_NE(row("/gone/lost.h5"), nullptr);
  EXPECT_TRUE(row("/gone/lost.h5")->accessibleName().contains("not found · Locate…"));
  EXPECT_TRUE(row("/data/small.h5")->accessibleName().contains("today"));
  QTest::keyClick(row("/gone/lost.h5"), Qt::Key_Delete);
  EXPECT_EQ(recent().names(), QStringList{"small.h5"});
  QApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
  EXPECT_EQ(row("/gone/lost.h5"), nullptr);
  QTest::mouseClick(row("/data/small.h5"), Qt::LeftButton, {}, QPoint(40, 14));
  settle();
  EXPECT_EQ(window.workspace().path(), "/data/small.h5");
}

TEST(StartPageText, SaysWhenAFileWasOpened) {
  const QDateTime now(QDate(2026, 3, 12), QTime(10, 0));
  EXPECT_TRUE(whenText(now.addSecs(-3600), now).startsWith("today "));
  EXPECT_EQ(whenText(now.addSecs(-11 * 3600), now), "yesterday");
  EXPECT_EQ(whenText(now.addDays(-2), now),
            QLocale().toString(QDate(2026, 3, 10), QLocale::ShortFormat));
}

TEST(StartPageActions, WhatTheProgramDoesNotOfferIsLeftOut) {
  const auto titles = [](const StartPage& page) {
    QStringList out;
    for (const auto* card : page.findChildren<ActionCard*>()) out.push_back(card->text());
    return out;
  };
  EXPECT_EQ(titles(StartPage(WindowServices{.openCapture = openFake})),
            QStringList{"Open capture…"});
  WindowServices all{.openCapture = openFake};
  FakeSessions sessions;
  all.sessions = sessions.files();
  all.capture.make = [](const CaptureForm&, const Work&) {};
  EXPECT_EQ(titles(StartPage(all)),
            (QStringList{"Open capture…", "Open session…", "Capture from model…"}));
}

}  // namespace
}  // namespace qaq::views
