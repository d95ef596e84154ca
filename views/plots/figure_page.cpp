#include "views/plots/figure_page.h"

#include <QFileInfo>
#include <QHash>
#include <QPdfWriter>
#include <QSaveFile>
#include <algorithm>

#include "core/base/error.h"

namespace qaq::views {
namespace {

constexpr int kPdfDotsPerPx = 3;  // maps are embedded at 288 dpi
constexpr int kFewColors = 256;
constexpr double kPointsPerPx = 72.0 / 96.0;

QImage inFewColors(const QImage& image) {
  QHash<QRgb, int> counts;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) ++counts[image.pixel(x, y)];
  }
  QList<QRgb> colors = counts.keys();
  // By colour where counts are equal: the order of a hash is nobody's.
  std::ranges::sort(colors, [&](QRgb a, QRgb b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
  });
  if (colors.size() > kFewColors) colors.resize(kFewColors);
  QImage out = image.convertToFormat(QImage::Format_Indexed8, colors, Qt::ThresholdDither);
  for (const QString& key : image.textKeys()) out.setText(key, image.text(key));
  return out;
}

}  // namespace

FigurePage::FigurePage(Drawing drawing, QString title, QSize size, FigureStyle style)
    : m_drawing(std::move(drawing)),
      m_title(std::move(title)),
      m_size(style.size.isEmpty() ? size : style.size),
      m_style(std::move(style)) {}

void FigurePage::paint(QCPPainter* painter) const {
  painter->fillRect(QRect(QPoint(), m_size), Theme::of(m_style.theme).surface);
  m_drawing(painter, m_size);
}

QImage FigurePage::image() const {
  QImage image((QSizeF(m_size) * m_style.scale).toSize(), QImage::Format_RGB32);
  image.setDevicePixelRatio(m_style.scale);
  QCPPainter painter(&image);
  paint(&painter);
  painter.end();
  image.setText(QStringLiteral("Title"), m_title);
  image.setText(QStringLiteral("Software"), QStringLiteral("qaq-scope"));
  image.setText(QStringLiteral("Description"), m_style.provenance);
  return image;
}

void FigurePage::writePdf(QIODevice* device) const {
  QPdfWriter writer(device);
  const QSizeF points = QSizeF(m_size) * kPointsPerPx;
  writer.setPageSize(QPageSize(points, QPageSize::Point, {}, QPageSize::ExactMatch));
  writer.setPageMargins(QMarginsF(0, 0, 0, 0));
  writer.setResolution(96 * kPdfDotsPerPx);
  writer.setTitle(m_title + QStringLiteral("; ") + m_style.provenance);
  writer.setCreator(QStringLiteral("qaq-scope"));
  QCPPainter painter(&writer);
  painter.scale(kPdfDotsPerPx, kPdfDotsPerPx);
  paint(&painter);
}

void FigurePage::save(const QString& path) const {
  const QString suffix = QFileInfo(path).suffix().toLower();
  if (suffix != QLatin1String("png") && suffix != QLatin1String("pdf")) {
    refuse_usage({.file = path.toStdString(),
                  .what = suffix == QLatin1String("svg") ? "SVG is not built in"
                                                         : "the name tells no figure format",
                  .cure = "end it in .png or .pdf"});
  }
  QSaveFile file(path);
  bool written = file.open(QIODevice::WriteOnly);
  if (written && suffix == QLatin1String("pdf")) {
    writePdf(&file);
  } else if (written) {
    written = (m_style.fewColors ? inFewColors(image()) : image()).save(&file, "PNG");
  }
  if (!written || !file.commit()) {
    throw Error(ErrorKind::work, {.file = path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = "choose a folder that exists and can be written to"});
  }
}

}  // namespace qaq::views
