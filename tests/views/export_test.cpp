// What is on the screen as files.
#include <QComboBox>
#include <QFile>
#include <QLineEdit>
#include <QSignalSpy>
#include <gtest/gtest.h>
#include <sstream>

#include "core/analysis/row_table.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/panels/export_dialog.h"
#include "views/shell/exporter.h"
#include "views/shell/page_stack.h"

namespace qaq::views {
namespace {

class Export : public testing::Test {
 protected:
  Export() {
    pages.resize(1000, 700);
    pages.setTheme(Theme::of(ThemeKind::dark));
    pages.QWidget::show();
    selection.reset(test::plantedInfo(), {.layer = 1, .kvHead = 1});
    pages.show(loadSlice(test::plantedAnalysis(), {.layer = 1, .kvHead = 1}));
    test::waitFor([this] { return pages.isSettled(); });
  }
  void run(const ExportRequest& request) {
    exporter.run(request, "planted.h5; --set a=1", {}, ThemeKind::dark);
    test::waitFor([this] { return !exporter.isBusy(); });
  }
  QString file(const char* name) { return QString::fromStdString(folder.file(name)); }

  qaq::test::TemporaryFolder folder;
  SelectionModel selection;
  PageStack pages{&selection};
  Exporter exporter{&pages, [](const std::string& path, const Table& table,
                               const std::string& provenance, const Work&) {
                      std::ofstream out(path);
                      out << "# " << provenance << "\n";
                      write_csv(table, out);
                    }};
  QSignalSpy finished{&exporter, &Exporter::finished};
  QSignalSpy failed{&exporter, &Exporter::failed};
};

TEST_F(Export, AFigureHasItsSizeInMillimetresAndIsLightThoughTheScreenIsDark) {
  run({.view = "attention", .path = file("a.png"), .millimetres = {100, 80}, .scale = 3});
  ASSERT_EQ(finished.count(), 1);
  const QImage image(file("a.png"));
  EXPECT_EQ(image.size(), QSize(3 * 378, 3 * 302));
  EXPECT_EQ(image.pixel(4, 300), Theme::of(ThemeKind::light).surface.rgb());
  EXPECT_EQ(image.text("Description"), "planted.h5; --set a=1");
  test::waitFor([this] { return pages.isSettled(); });
  const QImage screen = pages.view("attention")->grab().toImage();
  EXPECT_EQ(screen.pixel(4, 60), Theme::of(ThemeKind::dark).surface.rgb())
      << "the screen stays dark";
  run({.view = "attention",
       .path = file("d.png"),
       .millimetres = {100, 80},
       .theme = ThemeKind::dark});
  EXPECT_EQ(QImage(file("d.png")).pixel(4, 100), Theme::of(ThemeKind::dark).surface.rgb());
}

TEST_F(Export, TheWholePageShowsEveryPaneWhereItStands) {
  run({.what = ExportRequest::What::page, .path = file("p.png"), .millimetres = {264.6, 176.4}});
  ASSERT_EQ(finished.count(), 1);
  const QImage image(file("p.png"));
  const QList<MapPane*> panes = pages.current()->panes();
  ASSERT_EQ(panes.size(), 4);
  // Each quarter has a plot in it, and not one of them is blank.
  for (const QRect& quarter : {QRect(0, 0, 500, 333), QRect(500, 0, 500, 333),
                               QRect(0, 333, 500, 333), QRect(500, 333, 500, 333)}) {
    const int blank = test::countPixels(image, Theme::of(ThemeKind::light).surface.rgb(),
                                        quarter.intersected(image.rect()));
    EXPECT_LT(blank, quarter.width() * quarter.height() * 8 / 10);
  }
}

TEST_F(Export, WhatCannotBeWrittenIsToldInOneLine) {
  run({.view = "attention", .path = "/nowhere/at/all.png", .millimetres = {100, 80}});
  run({.view = "nothing", .path = file("n.png"), .millimetres = {100, 80}});
  EXPECT_EQ(finished.count(), 0);
  ASSERT_EQ(failed.count(), 2);
  EXPECT_TRUE(failed[0][0].toString().contains("/nowhere/at/all.png"));
  EXPECT_TRUE(failed[1][0].toString().contains("nothing"));
  EXPECT_TRUE(folder.names().empty());
}

TEST_F(Export, RowsInSightAreThoseOfTheTokensAndLayersThatAreShown) {
  const PlotView* bits = pages.view("bits");
  MapPane* pane = bits->panes().first();
  pane->xAxis->setRange(9.5, 13.5);
  pane->yAxis->setRange(1.5, 5.5);  // two KV heads each of layers 1 and 2
  std::vector<std::vector<Cell>> rows;
  for (std::int64_t layer = 0; layer < 4; ++layer) {
    for (std::int64_t token = 0; token < 40; ++token) rows.push_back({layer, token});
  }
  std::ostringstream out;
  write_csv(rowsInSight(*bits, table_of({{.name = "layer"}, {.name = "token"}}, rows)), out);
  EXPECT_EQ(out.str(), "layer,token\n1,10\n1,11\n1,12\n1,13\n2,10\n2,11\n2,12\n2,13\n");
}

TEST(ExportDialog, OffersFormatsByWhatIsWrittenAndSizesInMillimetres) {
  ExportDialog dialog;
  dialog.offer({{"bits", "Bits", true}, {"formula", "Formula", false}}, "bits", {960, 480});
  EXPECT_EQ(dialog.what()->count(), 4) << "two figures, the page, one table";
  EXPECT_NEAR(dialog.request().millimetres.width(), 254, 0.1);
  EXPECT_NEAR(dialog.request().millimetres.height(), 127, 0.1);
  dialog.size()->setCurrentIndex(1);
  EXPECT_NEAR(dialog.request().millimetres.width(), 85, 0.1);
  EXPECT_NEAR(dialog.request().millimetres.height(), 42.5, 0.1);
  EXPECT_FALSE(dialog.problem().isEmpty());
  dialog.path()->setText("bits.csv");
  EXPECT_TRUE(dialog.problem().contains(".pdf, .png, .svg"));
  dialog.what()->setCurrentIndex(3);
  EXPECT_EQ(dialog.problem(), "");
  EXPECT_EQ(dialog.request().what, ExportRequest::What::table);
  EXPECT_EQ(dialog.request().view, "bits");
}

}  // namespace
}  // namespace qaq::views
