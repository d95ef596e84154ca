// Every view of the bundled sample against a picture that somebody has looked at. Fonts may differ
// a little from machine to machine: squares of 4 px are compared, and some of them may differ. To
// renew the pictures after a change that was looked at: run this program with QAQ_RENEW_GOLDEN=1.
#include <QFile>
#include <QImage>
#include <gtest/gtest.h>

#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

constexpr int kSquare = 4;           // px
constexpr int kMostOfAChannel = 16;  // of 255, on average over a square
constexpr double kMostSquares = 0.01;

struct Golden {
  const char* view;
  std::vector<std::string> flags{};
  const char* theme = "light";
};

std::string nameOf(const Golden& golden) {
  return std::string(golden.view) + "-" + golden.theme + ".png";
}

// Means over squares, as a smaller picture.
QImage squares(const QImage& image) {
  return image
      .scaled(image.width() / kSquare, image.height() / kSquare, Qt::IgnoreAspectRatio,
              Qt::SmoothTransformation)
      .convertToFormat(QImage::Format_RGB32);
}

double differingShare(const QImage& a, const QImage& b) {
  const QImage x = squares(a), y = squares(b);
  int n = 0;
  for (int row = 0; row < x.height(); ++row) {
    for (int column = 0; column < x.width(); ++column) {
      const QRgb p = x.pixel(column, row), q = y.pixel(column, row);
      n += std::max({qAbs(qRed(p) - qRed(q)), qAbs(qGreen(p) - qGreen(q)),
                     qAbs(qBlue(p) - qBlue(q))}) > kMostOfAChannel;
    }
  }
  return static_cast<double>(n) / (x.width() * x.height());
}

class GoldenPicture : public testing::TestWithParam<Golden> {};

TEST_P(GoldenPicture, LooksAsItDidWhenItWasLookedAt) {
  const test::TemporaryFolder folder;
  const std::string drawn = folder.file("drawn.png");
  std::vector<std::string> words{QAQ_PROGRAM,
                                 "figure",
                                 GetParam().view,
                                 std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5",
                                 "-o",
                                 drawn,
                                 "--theme",
                                 GetParam().theme};
  words.insert(words.end(), GetParam().flags.begin(), GetParam().flags.end());
  const test::ProgramResult result = test::run_program(words);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto golden = QString::fromStdString(test::test_data_path("golden/") + nameOf(GetParam()));
  if (qEnvironmentVariableIsSet("QAQ_RENEW_GOLDEN")) {
    QFile::remove(golden);
    ASSERT_TRUE(QFile::copy(QString::fromStdString(drawn), golden));
    GTEST_SKIP() << "renewed";
  }
  const QImage want(golden), got(QString::fromStdString(drawn));
  ASSERT_FALSE(want.isNull()) << golden.toStdString();
  ASSERT_EQ(got.size(), want.size());
  const double share = differingShare(want, got);
  const QString kept = QString::fromStdString("golden-failed-" + nameOf(GetParam()));
  if (share > kMostSquares) got.save(kept);
  EXPECT_LE(share, kMostSquares) << "kept as " << kept.toStdString() << " in the working folder";
}

TEST(GoldenPictures, AreToldApartFromOtherSettings) {
  const QImage bits(QString::fromStdString(test::test_data_path("golden/bits-light.png")));
  QImage other = bits.copy();
  // A block of cells in another colour: a fortieth of the picture.
  for (int y = 100; y < 160; ++y) {
    for (int x = 100; x < 240; ++x) other.setPixel(x, y, qRgb(0, 90, 200));
  }
  EXPECT_GT(differingShare(bits, other), kMostSquares);
  EXPECT_EQ(differingShare(bits, bits), 0);
}

const std::vector<std::string> kHead{"--layer", "17", "--head", "1"};

INSTANTIATE_TEST_SUITE_P(
    Views, GoldenPicture,
    testing::Values(Golden{"bits"}, Golden{"bits", {}, "dark"}, Golden{"outliers", kHead},
                    Golden{"attention", kHead}, Golden{"attention", kHead, "dark"},
                    Golden{"persistence", kHead}, Golden{"errors"}, Golden{"distributions", kHead},
                    Golden{"tradeoff"}, Golden{"tokens", {"--prefix", "50"}}, Golden{"memory"},
                    Golden{"table"}, Golden{"formula", {"--cell", "value,17,1,37"}}));

}  // namespace
}  // namespace qaq
