#include "views/plots/memory_view.h"

#include <QPainter>
#include <cmath>

#include "views/plots/number_format.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kCount("count");  // in viewState()
constexpr int kBars = 3;
constexpr int kFigureWidth = 760;
constexpr Px<double> kSide{14}, kTop{8}, kBarHeight{20}, kOutline{4};  // px
constexpr Px<double> kHeading{20}, kLabelRow{18}, kSwatch{10}, kGap{6}, kBetween{16};
constexpr Px<double> kScale{40};  // height of the axis
constexpr Px<double> kTickGap{80};

Accounting other(Accounting accounting) {
  return accounting == Accounting::packed ? Accounting::nominal : Accounting::packed;
}

QString nameOf(MemoryPart part) {
  switch (part) {
    case MemoryPart::payload:
      return MemoryView::tr("payload");
    case MemoryPart::scales:
      return MemoryView::tr("scales");
    case MemoryPart::outlier_values:
      return MemoryView::tr("outlier values");
    case MemoryPart::outlier_indices:
      return MemoryView::tr("outlier indices");
    case MemoryPart::outlier_counts:
      return MemoryView::tr("outlier counts");
    case MemoryPart::bit_map:
      return MemoryView::tr("bit map");
    case MemoryPart::offsets:
      return MemoryView::tr("offsets");
    case MemoryPart::positions:
      break;
  }
  return MemoryView::tr("positions");
}

QString nameOf(Accounting accounting) {
  return accounting == Accounting::packed ? MemoryView::tr("packed") : MemoryView::tr("nominal");
}

// "18.1 KiB, 3.4 ×".
QString sizeText(const CacheMemory& memory, Accounting accounting) {
  const double ratio =
      accounting == Accounting::packed ? memory.ratio_packed : memory.ratio_nominal;
  return QStringLiteral("%1, %2 ×").arg(bytesText(memory.total(accounting)), numberText(ratio));
}

double widthOf(const QString& text, int px, bool bold = false) {
  return QFontMetricsF(Theme::font(px, bold)).horizontalAdvance(text);
}

}  // namespace

// A bar with what is written above and below it.
struct MemoryView::Row {
  struct Label {
    MemoryPart part{};
    QString text;
    QRectF box;
  };
  int bar = 0;
  QRectF heading;
  QRectF area;  ///< of the bar, as long as the scale
  QList<Label> labels{};
};

MemoryView::MemoryView(SelectionModel* selection, QWidget* parent)
    : PaintedView(selection, parent),
      m_switch(new ChoiceSwitch(tr("Bytes counted"), {tr("packed"), tr("nominal")})) {
  addControls(choiceRow({m_switch}));
  connect(m_switch, &ChoiceSwitch::changed, this, [this](int index) {
    setAccounting(index == 0 ? Accounting::packed : Accounting::nominal);
  });
}

void MemoryView::setAccounting(Accounting accounting) {
  m_accounting = accounting;
  m_switch->setChosen(accounting == Accounting::packed ? 0 : 1);
  if (m_report) pictureChanged();
}

QJsonObject MemoryView::viewState() const {
  QJsonObject state;
  keepChoice(state, kCount, m_accounting, Accounting::packed);
  return state;
}

void MemoryView::setViewState(const QJsonObject& state) {
  setAccounting(keptChoice(state, kCount, Accounting::packed));
}

void MemoryView::show(const SharedSlice& slice) {
  const Analysis& analysis = *slice->analysis;
  m_report = memory_report(*analysis.replay);
  const CaptureInfo& info = analysis.capture->info();
  m_place =
      tr("%1 of %2")
          .arg(counted(analysis.replay->prefix, tr("the first token"), tr("the first %1 tokens")),
               counted(info.n_captured_layers(), tr("1 layer"), tr("%1 layers")));
  pictureChanged();
}

const CacheMemory& MemoryView::memory(int bar) const {
  return bar == 0 ? m_report->key : bar == 1 ? m_report->value : m_report->both;
}

double MemoryView::largest() const {
  return std::max(m_report->both.total(Accounting::packed),
                  m_report->both.total(Accounting::nominal));
}

QList<MemoryView::Row> MemoryView::rows(const QSize& size) const {
  const double width = size.width() - 2 * kSide;
  QList<Row> out;
  double top = kTop + kHeading + kLabelRow + 6;
  for (int bar = 0; bar < kBars; ++bar) {
    Row row{.bar = bar, .heading = QRectF(kSide, top, width, kHeading), .area = {}};
    row.area = QRectF(kSide, top + kHeading + kOutline, width, kBarHeight);
    QPointF at(kSide, row.area.bottom() + kOutline + 4);
    const CacheMemory& here = memory(bar);
    for (int i = 0; i < kMemoryParts; ++i) {
      const auto part = static_cast<MemoryPart>(i);
      const double bytes = here.part(m_accounting, part);
      if (bytes == 0) continue;
      const QString text =
          QStringLiteral("%1 %2, %3")
              .arg(nameOf(part), bytesText(bytes), shareText(bytes / here.total(m_accounting)));
      const double needed = kSwatch + kGap + widthOf(text, Theme::kTickPx);
      if (at.x() > kSide && at.x() + needed > kSide + width) at = {kSide, at.y() + kLabelRow};
      row.labels.push_back({part, text, QRectF(at, QSizeF(needed, kLabelRow))});
      at.rx() += needed + kBetween;
    }
    top = at.y() + kLabelRow + 8;
    out.push_back(row);
  }
  return out;
}

QSize MemoryView::figureSize() const {
  if (!m_report) return {kFigureWidth, kFigureWidth / 2};
  const double bottom = rows({kFigureWidth, 0}).back().labels.back().box.bottom();
  return {kFigureWidth, static_cast<int>(std::ceil(bottom + 8 + kScale + kTop))};
}

QRectF MemoryView::partBox(int bar, MemoryPart part, const QSize& size) const {
  const QRectF area = rows(size)[bar].area;
  const double perByte = area.width() / largest();
  double left = area.left();
  for (int i = 0; i < static_cast<int>(part); ++i) {
    left += memory(bar).part(m_accounting, static_cast<MemoryPart>(i)) * perByte;
  }
  return {left, area.top(), memory(bar).part(m_accounting, part) * perByte, area.height()};
}

void MemoryView::paintRow(QPainter* painter, const Row& row) const {
  const auto& colors = theme().palette().categories();
  const auto color = [&](int part) { return QColor(colors[static_cast<std::size_t>(part)].color); };
  const CacheMemory& here = memory(row.bar);
  painter->setFont(Theme::font(Theme::kLabelPx, true));
  painter->setPen(theme().text);
  const QString name = row.bar == 0   ? tr("Keys")
                       : row.bar == 1 ? tr("Values")
                                      : tr("Keys and values");
  painter->drawText(row.heading, Qt::AlignLeft | Qt::AlignVCenter, name);
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->drawText(row.heading, Qt::AlignRight | Qt::AlignVCenter,
                    tr("%1 %2; %3 %4")
                        .arg(nameOf(m_accounting), sizeText(here, m_accounting),
                             nameOf(other(m_accounting)), sizeText(here, other(m_accounting))));

  const double perByte = row.area.width() / largest();
  painter->setPen(Qt::NoPen);
  double left = row.area.left();
  for (int i = 0; i < kMemoryParts; ++i) {
    const double width = here.part(m_accounting, static_cast<MemoryPart>(i)) * perByte;
    painter->fillRect(QRectF(left, row.area.top(), width, row.area.height()), color(i));
    // Parts are told apart where their colours are not.
    if (i > 0 && width > 3) {
      painter->fillRect(QRectF(left, row.area.top(), 1, row.area.height()), theme().surface);
    }
    left += width;
  }
  const double outline = here.total(other(m_accounting)) * perByte;
  painter->setPen(QPen(theme().text, px(1), Qt::DashLine));
  painter->setBrush(Qt::NoBrush);
  painter->drawRect(QRectF(row.area.left() - 1, row.area.top() - kOutline, outline + 1,
                           row.area.height() + 2 * kOutline));

  painter->setFont(Theme::font(Theme::kTickPx));
  for (const Row::Label& label : row.labels) {
    const QRectF swatch(label.box.left(), label.box.center().y() - kSwatch / 2, kSwatch, kSwatch);
    painter->fillRect(swatch, color(static_cast<int>(label.part)));
    painter->setPen(theme().text);
    painter->drawText(label.box.adjusted(kSwatch + kGap, 0, kBetween, 0),
                      Qt::AlignLeft | Qt::AlignVCenter, label.text);
  }
}

void MemoryView::paintScale(QPainter* painter, const QSize& size, double top) const {
  const double width = size.width() - 2 * kSide;
  // Steps of 1, 2 or 5 in the unit that the largest is written in.
  const double unit = std::pow(1024.0, std::floor(std::log(largest()) / std::log(1024.0)));
  const double least = largest() / unit / std::max(2.0, width / kTickGap);
  const double step = roundStep(least);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->drawLine(QPointF(kSide, top), QPointF(kSide + width, top));
  painter->setFont(Theme::font(Theme::kTickPx));
  for (double at = 0; at * unit <= largest() * (1 + 1e-9); at += step) {
    const double x = kSide + at * unit / largest() * width;
    painter->setPen(QPen(theme().frame, px(1)));
    painter->drawLine(QPointF(x, top), QPointF(x, top + px(4)));
    painter->setPen(theme().muted);
    const QString text = at == 0 ? QStringLiteral("0") : bytesText(at * unit);
    const double half = widthOf(text, Theme::kTickPx) / 2 + 1;
    const double middle = std::clamp(x, kSide + half, kSide + width - half);
    painter->drawText(QRectF(middle - half, top + px(5), 2 * half, px(16)), Qt::AlignCenter, text);
  }
  painter->setPen(theme().muted);
  painter->drawText(QRectF(kSide, top + px(21), width, px(16)), Qt::AlignLeft | Qt::AlignVCenter,
                    tr("× is against 16 bits a number; the dashed outline is %1")
                        .arg(nameOf(other(m_accounting))));
}

void MemoryView::paint(QPainter* painter, const QSize& size) {
  if (!m_report) return;
  const double width = size.width() - 2 * kSide;
  painter->setFont(Theme::font(Theme::kTitlePx, true));
  painter->setPen(theme().text);
  painter->drawText(QRectF(kSide, kTop, width, kHeading), Qt::AlignLeft | Qt::AlignVCenter,
                    title());
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(theme().muted);
  painter->drawText(QRectF(kSide, kTop + kHeading, width, kLabelRow),
                    Qt::AlignLeft | Qt::AlignVCenter,
                    tr("%1 · %2 bytes by part").arg(m_place, nameOf(m_accounting)));
  const QList<Row> all = rows(size);
  for (const Row& row : all) paintRow(painter, row);
  const double below = all.back().labels.back().box.bottom() + 8;
  if (below + kScale <= size.height()) paintScale(painter, size, below);
}

std::optional<Table> MemoryView::table() const {
  if (!m_report) return std::nullopt;
  return memory_table(*m_report);
}

QString MemoryView::summary() const {
  if (!error().isEmpty() || !m_report) return error();
  return tr("Keys and values take %1 packed and %2 nominal, of which the payload is %3.")
      .arg(sizeText(m_report->both, Accounting::packed),
           sizeText(m_report->both, Accounting::nominal),
           shareText(m_report->both.part(m_accounting, MemoryPart::payload) /
                     m_report->both.total(m_accounting)));
}

}  // namespace qaq::views
