#include "views/plots/error_view.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <algorithm>

#include "core/replay/captured_layers.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr Px<int> kSide{12}, kStrip{34}, kGap{6};
const QSize kFigure(860, 860);
constexpr QLatin1String kShown("error");  // in viewState()
constexpr double kLinesShare = 0.45;      // of a figure's height

}  // namespace

ErrorView::ErrorView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent),
      m_lines(new ErrorLines),
      m_map(new ErrorPane),
      m_made([this](const SharedErrors& errors) { take(errors); },
             [this](const QString& line) { setMessage(line); }) {
  addPane(m_map);
  auto* strip = new QWidget;
  strip->setFixedHeight(kStrip);
  auto* row = new QHBoxLayout(strip);
  row->setContentsMargins(kSide, 4, kSide, 4);
  row->setSpacing(kGap);
  auto* group = new QButtonGroup(this);
  for (const ErrorOf which : kAllErrors) {
    auto* button = new QToolButton;
    button->setText(errorTitle(which));
    button->setToolTip(tr("Show it by layer and token below"));
    button->setCheckable(true);
    button->setChecked(which == m_shown);
    group->addButton(button);
    row->addWidget(button);
    connect(button, &QToolButton::clicked, this, [this, which] { setShown(which); });
    m_buttons[static_cast<std::size_t>(which)] = button;
  }
  row->addStretch(1);
  addAbove(strip);
  addAbove(m_lines, kPaneStretch);
  connect(selection, &SelectionModel::sliceChanged, this, &ErrorView::markLayers);
  connect(selection, &SelectionModel::hoverChanged, this, &ErrorView::markLayers);
  connect(m_lines, &ErrorLines::layerClicked, this, [this](std::int64_t layer) {
    const auto index = indexOf(layer);
    if (!index) return;
    Slice slice = this->selection()->slice();
    slice.layer = *index;
    this->selection()->setSlice(slice);
  });
  connect(m_lines, &ErrorLines::layerStepped, selection, &SelectionModel::stepLayer);
  // Zooming the map into layers takes the lines along.
  connect(m_map->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
          [this](const QCPRange& range) {
            if (!m_errors) return;
            const auto n =
                static_cast<double>(m_errors->analysis->capture->info().shape.n_kv_heads);
            m_lines->xAxis->setRange((range.lower + 0.5) / n - 0.5, (range.upper + 0.5) / n - 0.5);
            m_lines->replot(QCustomPlot::rpQueuedReplot);
          });
}

void ErrorView::present(const SharedSlice& slice) {
  // Errors that are not known yet would leave holes: the last picture stays until they are.
  if (slice->analysis->stage != Analysis::Stage::scores) return;
  if (slice->analysis == m_requested) return;
  m_requested = slice->analysis;
  m_made.request([analysis = slice->analysis](const Work&) { return loadErrors(analysis); });
}

void ErrorView::take(const SharedErrors& errors) {
  m_errors = errors;
  m_message.clear();
  m_lines->show(errors);
  for (const ErrorOf which : kAllErrors) {
    const bool has = errors->errors.has(which);
    button(which)->setEnabled(has);
    button(which)->setToolTip(has ? tr("Show it by layer and token below")
                                  : tr("Not known: the capture lacks queries or attention"));
  }
  showMap();
}

ErrorOf ErrorView::drawn() const {
  return m_errors->errors.has(m_shown) ? m_shown : ErrorOf::value;
}

void ErrorView::showMap() {
  m_map->show(m_errors, drawn());
  button(drawn())->setChecked(true);
  markLayers();
  mapsShown();
}

void ErrorView::setShown(ErrorOf which) {
  m_shown = which;
  button(which)->setChecked(true);
  if (m_errors) showMap();
}

QJsonObject ErrorView::viewState() const {
  QJsonObject state = MapView::viewState();
  keepChoice(state, kShown, m_shown, ErrorOf::value);
  return state;
}

void ErrorView::setViewState(const QJsonObject& state) {
  setShown(keptChoice(state, kShown, ErrorOf::value));
  MapView::setViewState(state);
}

void ErrorView::setMessage(const QString& text) {
  m_message = text;
  m_requested = nullptr;
  m_errors = nullptr;
  m_lines->setMessage(text);
  MapView::setMessage(text);
}

void ErrorView::setTheme(const Theme& theme) {
  MapView::setTheme(theme);
  m_lines->setTheme(theme);
}

void ErrorView::setUpdating(bool updating) {
  MapView::setUpdating(updating);
  m_lines->setUpdating(updating);
}

void ErrorView::setCompact(bool compact) {
  MapView::setCompact(compact);
  m_lines->setCompact(compact);
}

QSize ErrorView::figureSize() const { return kFigure; }

void ErrorView::paintFigure(QCPPainter* painter, const QSize& size) {
  const int above = qRound(size.height() * kLinesShare);
  m_lines->toPainter(painter, size.width(), above);
  painter->save();
  painter->translate(0, above);
  m_map->toPainter(painter, size.width(), size.height() - above);
  painter->restore();
}

std::optional<Table> ErrorView::table() const {
  if (!m_errors) return std::nullopt;
  return layer_errors_table(m_errors->errors);
}

QString ErrorView::summary() const {
  return m_errors ? m_lines->summary() + QStringLiteral(" ") + m_map->summary() : m_message;
}

std::optional<int> ErrorView::indexOf(std::int64_t layer) const {
  return captured_index(m_errors->analysis->capture->info().layers, layer);
}

void ErrorView::markLayers() {
  if (!m_errors) return;
  const auto& layers = m_errors->analysis->capture->info().layers;
  const auto layerOf = [&](int index) -> std::optional<std::int64_t> {
    if (index < 0 || index >= std::ssize(layers)) return std::nullopt;
    return layers[static_cast<std::size_t>(index)];
  };
  const auto& hovered = selection()->hovered();
  m_lines->setHovered(hovered ? layerOf(hovered->layer) : std::nullopt);
  m_lines->setCurrent(layerOf(selection()->slice().layer));
}

std::optional<Cursor> ErrorView::cursorOf(const MapPane*, int row, int column,
                                          const QPointF*) const {
  if (!m_errors) return std::nullopt;
  const auto nKvHeads = static_cast<int>(m_errors->analysis->capture->info().shape.n_kv_heads);
  const auto index = indexOf(column / nKvHeads);
  if (!index) return std::nullopt;
  Cursor cursor{.side = selection()->slice().side,
                .layer = *index,
                .kvHead = column % nKvHeads,
                .token = row};
  if (drawn() == ErrorOf::key) cursor.side = CacheSide::key;
  if (drawn() == ErrorOf::value) cursor.side = CacheSide::value;
  // The error of a whole row: its own token stands for it.
  if (drawn() == ErrorOf::attention || drawn() == ErrorOf::output) cursor.step = row;
  return cursor;
}

MarkedCell ErrorView::markOf(const MapPane*, const Cursor& cursor) const {
  if (!m_errors) return {};
  const CaptureInfo& info = m_errors->analysis->capture->info();
  if (cursor.layer >= info.n_captured_layers()) return {};  // of a capture that is being opened
  const std::int64_t layer = info.layers[static_cast<std::size_t>(cursor.layer)];
  MarkedCell mark{.row = {}, .column = layer * info.shape.n_kv_heads + cursor.kvHead};
  const bool ofCache = drawn() == ErrorOf::key || drawn() == ErrorOf::value;
  if (ofCache) {
    mark.row = cursor.token;
  } else if (cursor.step != Cursor::kNone) {
    mark.row = cursor.step;
  }
  return mark;
}

}  // namespace qaq::views
