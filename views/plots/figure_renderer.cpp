#include "views/plots/figure_renderer.h"

#include <QFileInfo>
#include <QPdfWriter>
#include <QSaveFile>

#include "core/base/error.h"
#include "views/plots/attention_map_view.h"
#include "views/plots/bit_map_view.h"
#include "views/plots/outlier_map_view.h"

namespace qaq::views {
namespace {

constexpr int kPaneGap = 6;
constexpr int kPdfDotsPerPx = 3;  // maps are embedded at 288 dpi
constexpr double kPointsPerPx = 72.0 / 96.0;
const QSize kPaneSize(720, 460);

std::unique_ptr<PlotView> viewOf(const QString& id, SelectionModel* selection) {
  std::string names;
  for (std::unique_ptr<PlotView>& view : makeViews(selection)) {
    if (view->id() == id) return std::move(view);
    names += (names.empty() ? "" : ", ") + view->id().toStdString();
  }
  refuse_usage({.place = "figure",
                .what = "there is no view '" + id.toStdString() + "'",
                .cure = "choose one of " + names});
}

}  // namespace

std::vector<std::unique_ptr<PlotView>> makeViews(SelectionModel* selection) {
  std::vector<std::unique_ptr<PlotView>> views;
  views.push_back(std::make_unique<BitMapView>(selection));
  views.push_back(std::make_unique<OutlierMapView>(selection));
  views.push_back(std::make_unique<AttentionMapView>(selection));
  return views;
}

FigureRenderer::FigureRenderer(const QString& id, const SharedSlice& slice, const Style& style)
    : m_style(style),
      m_selection(std::make_unique<SelectionModel>()),
      m_view(viewOf(id, m_selection.get())) {
  m_selection->reset(slice->analysis->capture->info(), slice->slice);
  m_view->setTheme(Theme::of(style.theme));
  m_view->show(slice);
  const auto panes = static_cast<int>(m_view->panes().size());
  m_size = style.size.isEmpty()
               ? QSize(panes * kPaneSize.width() + (panes - 1) * kPaneGap, kPaneSize.height())
               : style.size;
}

FigureRenderer::~FigureRenderer() = default;

void FigureRenderer::paint(QCPPainter* painter) const {
  painter->fillRect(QRect(QPoint(), m_size), Theme::of(m_style.theme).surface);
  const auto& panes = m_view->panes();
  const auto n = static_cast<int>(panes.size());
  const int width = (m_size.width() - (n - 1) * kPaneGap) / n;
  for (int i = 0; i < n; ++i) {
    painter->save();
    painter->translate(i * (width + kPaneGap), 0);
    panes[i]->toPainter(painter, width, m_size.height());
    painter->restore();
  }
}

QImage FigureRenderer::image() const {
  QImage image((QSizeF(m_size) * m_style.scale).toSize(), QImage::Format_RGB32);
  image.setDevicePixelRatio(m_style.scale);
  QCPPainter painter(&image);
  paint(&painter);
  painter.end();
  image.setText(QStringLiteral("Title"), m_view->title());
  image.setText(QStringLiteral("Software"), QStringLiteral("qaq-scope"));
  image.setText(QStringLiteral("Description"), m_style.provenance);
  return image;
}

void FigureRenderer::writePdf(QIODevice* device) const {
  QPdfWriter writer(device);
  const QSizeF points = QSizeF(m_size) * kPointsPerPx;
  writer.setPageSize(QPageSize(points, QPageSize::Point, {}, QPageSize::ExactMatch));
  writer.setPageMargins(QMarginsF(0, 0, 0, 0));
  writer.setResolution(96 * kPdfDotsPerPx);
  writer.setTitle(m_view->title() + QStringLiteral("; ") + m_style.provenance);
  writer.setCreator(QStringLiteral("qaq-scope"));
  QCPPainter painter(&writer);
  painter.scale(kPdfDotsPerPx, kPdfDotsPerPx);
  paint(&painter);
}

void FigureRenderer::save(const QString& path) const {
  const QString suffix = QFileInfo(path).suffix().toLower();
  if (suffix != QLatin1String("png") && suffix != QLatin1String("pdf")) {
    refuse_usage({.file = path.toStdString(),
                  .what = "the name tells no figure format",
                  .cure = "end it in .png or .pdf"});
  }
  QSaveFile file(path);
  bool written = file.open(QIODevice::WriteOnly);
  if (written && suffix == QLatin1String("pdf")) {
    writePdf(&file);
  } else if (written) {
    written = image().save(&file, "PNG");
  }
  if (!written || !file.commit()) {
    throw Error(ErrorKind::work, {.file = path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = "choose a folder that exists and can be written to"});
  }
}

}  // namespace qaq::views
