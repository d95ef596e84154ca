#include "views/plots/compare_view.h"

#include <QHBoxLayout>
#include <QLabel>
#include <cmath>

#include "core/replay/captured_layers.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kOf("of"), kMode("mode"), kDivider("divider");  // in viewState()
constexpr double kMiddle = 0.5;

}  // namespace

QString needsReference() {
  return CompareView::tr(
      "Nothing is compared. Choose what to compare with in the list of runs, or “Compare with…”.");
}

CompareView::CompareView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent),
      m_switch(
          new ChoiceSwitch(tr("What is compared"), {tr("bits"), tr("magnitude"), tr("attention")})),
      m_remark(new QLabel),
      m_modes(new ChoiceSwitch(tr("A and B"), {tr("side by side"), tr("swipe")})),
      m_made([this](const auto& maps) { take(maps); },
             [this](const QString& line) { setMessage(line); }) {
  auto* controls = new QWidget;
  auto* row = new QHBoxLayout(controls);
  row->setContentsMargins(6, 0, 6, 4);
  m_remark->setFont(Theme::font(Theme::kLabelPx));
  m_remark->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  row->addWidget(m_switch);
  row->addWidget(m_remark, 1);
  row->addWidget(m_modes);
  addAbove(controls);
  for (const auto role : {ComparePane::Role::a, ComparePane::Role::b, ComparePane::Role::difference,
                          ComparePane::Role::swipe}) {
    addPane(new ComparePane(role));
  }
  pane(ComparePane::Role::swipe)->hide();
  linkPanes();
  connect(m_modes, &ChoiceSwitch::changed, this,
          [this](int index) { setMode(static_cast<CompareMode>(index)); });
  connect(m_switch, &ChoiceSwitch::changed, this,
          [this](int index) { setOf(static_cast<CompareOf>(index)); });
}

ComparePane* CompareView::pane(ComparePane::Role role) const {
  return static_cast<ComparePane*>(panes()[static_cast<int>(role)]);
}

QList<MapPane*> CompareView::shownPanes() const {
  MapPane* swipe = pane(ComparePane::Role::swipe);
  if (m_mode == CompareMode::swipe) return {swipe};
  QList<MapPane*> beside = panes();
  beside.removeAll(swipe);
  return beside;
}

void CompareView::setMode(CompareMode mode) {
  m_mode = mode;
  m_modes->setChosen(static_cast<int>(mode));
  const QList<MapPane*> shown = shownPanes();
  // Hidden ones first: the row is never wider than it will be.
  for (MapPane* each : panes()) {
    if (!shown.contains(each)) each->hide();
  }
  for (MapPane* each : shown) each->show();
}

void CompareView::setDivider(double share) {
  SwipeHandle* handle = pane(ComparePane::Role::swipe)->handle();
  handle->setValue(static_cast<int>(std::lround(share * handle->maximum())));
}

double CompareView::divider() const { return pane(ComparePane::Role::swipe)->handle()->share(); }

void CompareView::linkPanes() {
  for (MapPane* pane : panes()) {
    for (const bool across : {true, false}) {
      QCPAxis* axis = across ? pane->xAxis : pane->yAxis;
      connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
              [this, pane, axis, across](const QCPRange&) {
                if (m_linking) return;
                m_linking = true;
                for (MapPane* other : panes()) {
                  if (other == pane) continue;
                  (across ? other->xAxis : other->yAxis)->setRange(axis->range());
                  other->replot(QCustomPlot::rpQueuedReplot);
                }
                m_linking = false;
              });
    }
    connect(pane, &MapPane::valueColorsChanged, this, [this](ValueColors colors) {
      for (MapPane* other : panes()) other->setValueColors(colors);
    });
  }
}

void CompareView::setOf(CompareOf of) {
  m_switch->setChosen(static_cast<int>(of));
  if (of == m_of) return;
  m_of = of;
  if (m_slice) request();
}

QJsonObject CompareView::viewState() const {
  QJsonObject state = MapView::viewState();
  keepChoice(state, kOf, m_of, CompareOf::bits);
  keepChoice(state, kMode, m_mode, CompareMode::beside);
  if (divider() != kMiddle) state[kDivider] = divider();
  return state;
}

void CompareView::setViewState(const QJsonObject& state) {
  setOf(keptChoice(state, kOf, CompareOf::bits));
  setMode(keptChoice(state, kMode, CompareMode::beside));
  setDivider(state.value(kDivider).toDouble(kMiddle));
  MapView::setViewState(state);
}

void CompareView::present(const SharedSlice& slice) {
  if (!slice->against) {
    setMessage(needsReference());
    return;
  }
  m_slice = slice;
  request();
}

void CompareView::request() {
  m_made.request([slice = m_slice, of = m_of](const Work&) { return loadComparedMaps(slice, of); });
}

void CompareView::take(const SharedComparedMaps& maps) {
  if (!m_slice) return;  // a message has taken the place of what was asked for
  m_message.clear();
  m_maps = maps;
  m_linking = true;  // each begins with the whole of its own map
  for (MapPane* pane : panes()) static_cast<ComparePane*>(pane)->show(maps);
  m_linking = false;
  m_remark->setText(remark());
  m_remark->setToolTip(remark());
  mapsShown();
}

QString CompareView::remark() const {
  if (!m_maps) return {};
  const Alignment& alignment = m_maps->slice->against->alignment;
  if (!alignment.allowed()) return QString::fromStdString(alignment.refusal);
  const auto& comparison = m_maps->slice->against->comparison;
  const std::string& remark = comparison ? comparison->remark : alignment.remark;
  return remark.empty() ? tr("same model, prompt and prefix: difference allowed")
                        : QString::fromStdString(remark);
}

void CompareView::setMessage(const QString& text) {
  m_message = text;
  m_slice = nullptr;
  m_maps = nullptr;
  m_remark->clear();
  MapView::setMessage(text);
}

void CompareView::setCompact(bool compact) {
  // The legends tell the sides apart and stay whole.
  for (MapPane* pane : panes()) pane->setXLabelShown(!compact);
}

void CompareView::setTheme(const Theme& theme) {
  m_remark->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
  MapView::setTheme(theme);
}

std::optional<Cursor> CompareView::cursorOf(const MapPane*, int row, int column,
                                            const QPointF*) const {
  if (!m_maps) return std::nullopt;
  const CaptureInfo& info = m_maps->slice->analysis->capture->info();
  const Slice& slice = m_maps->slice->slice;
  if (column >= info.n_tokens) return std::nullopt;  // of the longer one
  Cursor cursor{.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead, .token = column};
  switch (m_maps->of) {
    case CompareOf::bits: {
      const auto n_kv_heads = static_cast<int>(info.shape.n_kv_heads);
      const auto layer = captured_index(info.layers, row / n_kv_heads);
      if (!layer) return std::nullopt;
      cursor.layer = *layer;
      cursor.kvHead = row % n_kv_heads;
      break;
    }
    case CompareOf::magnitude:
      cursor.channel = row;
      break;
    case CompareOf::attention:
      if (column > row || row >= info.n_tokens) return std::nullopt;
      cursor.step = row;
      break;
  }
  return cursor;
}

MarkedCell CompareView::markOf(const MapPane*, const Cursor& cursor) const {
  if (!m_maps) return {};
  const CaptureInfo& info = m_maps->slice->analysis->capture->info();
  MarkedCell mark{.row = {}, .column = cursor.token};
  switch (m_maps->of) {
    case CompareOf::bits:
      if (cursor.layer >= info.n_captured_layers()) return {};  // of one that is being opened
      mark.row = info.layers[static_cast<std::size_t>(cursor.layer)] * info.shape.n_kv_heads +
                 cursor.kvHead;
      break;
    case CompareOf::magnitude:
      if (cursor.channel != Cursor::kNone) mark.row = cursor.channel;
      break;
    case CompareOf::attention:
      if (cursor.step != Cursor::kNone) mark.row = cursor.step;
      break;
  }
  return mark;
}

std::optional<Table> CompareView::table() const {
  if (!m_maps || !m_maps->a || !m_maps->b) return std::nullopt;
  MapPair pair{.a = m_maps->a, .b = m_maps->b, .difference = m_maps->difference};
  const CaptureInfo& info = m_maps->slice->analysis->capture->info();
  if (m_maps->of == CompareOf::bits) {
    pair.n_kv_heads = info.shape.n_kv_heads;
  } else {
    pair.row = m_maps->of == CompareOf::magnitude ? "channel" : "step";
  }
  return map_pair_table(pair);
}

}  // namespace qaq::views
