#include "views/plots/token_area.h"

#include <QAccessible>
#include <QAccessibleValueChangeEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr Px<int> kTopMargin{4};

}  // namespace

TokenArea::TokenArea(SelectionModel* selection, QWidget* parent)
    : QAbstractScrollArea(parent), m_selection(selection) {
  setFrameShape(QFrame::NoFrame);
  setFocusPolicy(Qt::StrongFocus);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // A bar that comes and goes would break lines anew.
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  viewport()->setMouseTracking(true);
  setAccessibleName(tr("Tokens"));
  connect(selection, &SelectionModel::hoverChanged, this, &TokenArea::showMarks);
  connect(selection, &SelectionModel::pinChanged, this, &TokenArea::showMarks);
  connect(selection, &SelectionModel::selectionChanged, this, &TokenArea::showMarks);
  connect(selection, &SelectionModel::lockChanged, this, &TokenArea::showLock);
  connect(selection, &SelectionModel::filterChanged, this, &TokenArea::showFilter);
}

void TokenArea::setContent(const SharedTokenContent& content) {
  m_flow.setContent(content);
  showFilter();
  showMarks();
}

void TokenArea::setTheme(const Theme& theme) {
  m_theme = theme;
  m_flow.setTheme(theme);
  viewport()->update();
}

void TokenArea::setUpdating(bool updating) {
  m_updating = updating;
  viewport()->update();
}

void TokenArea::setFound(std::vector<std::int32_t> tokens) {
  m_flow.marks().found = std::move(tokens);
  viewport()->update();
}

double TokenArea::top() const { return verticalScrollBar()->value() - kTopMargin; }

TokenRange TokenArea::unitOf(int token) const {
  const TokenContent& content = *m_flow.content();
  return content.units[static_cast<std::size_t>(content.unitOf[static_cast<std::size_t>(token)])];
}

Cursor TokenArea::cursorOf(int token) const {
  const Slice& slice = m_selection->slice();
  return {.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead, .token = token};
}

void TokenArea::showMarks() {
  const auto tokenOf = [](const std::optional<Cursor>& cursor) {
    return cursor ? std::optional(cursor->token) : std::nullopt;
  };
  TokenMarks& marks = m_flow.marks();
  marks.hovered = tokenOf(m_selection->hovered());
  marks.locked = tokenOf(m_selection->locked());
  marks.pinned = tokenOf(m_selection->pinned());
  marks.selected = m_selection->selected();
  viewport()->update();
}

void TokenArea::showLock() {
  showMarks();
  const auto& lock = m_selection->locked();
  if (!lock || !m_flow.content()) return;
  reveal(lock->token);
  if (lock->token >= static_cast<int>(m_flow.content()->text->shown.size())) return;
  setAccessibleDescription(describe(lock->token));
  QAccessibleValueChangeEvent event(this, describe(lock->token));
  QAccessible::updateAccessibility(&event);
}

void TokenArea::showFilter() {
  const SelectionSet* filter = m_selection->filter();
  if (filter == nullptr) {
    m_flow.setShown(std::nullopt);
  } else {
    std::vector<std::int32_t> tokens;
    for (const TokenRange& range : filter->tokens()) {
      for (std::int32_t token = range.first; token <= range.last; ++token) tokens.push_back(token);
    }
    m_flow.setShown(std::move(tokens));
  }
  updateScroll();
}

void TokenArea::updateScroll() {
  m_flow.setWidth(viewport()->width());
  const int line = static_cast<int>(m_flow.lineHeight());
  const int height = viewport()->height();
  const int whole = static_cast<int>(std::ceil(m_flow.height())) + kTopMargin;
  verticalScrollBar()->setSingleStep(line);
  verticalScrollBar()->setPageStep(std::max(line, height - line));
  verticalScrollBar()->setRange(0, std::max(0, whole - height));
  viewport()->update();
}

void TokenArea::reveal(int token) {
  const auto line = m_flow.lineOf(token);
  if (!line) return;
  const double above = *line * m_flow.lineHeight(), below = above + m_flow.lineHeight();
  const int height = viewport()->height();
  if (above < top() || height < m_flow.lineHeight()) {
    verticalScrollBar()->setValue(static_cast<int>(above));
  } else if (below > top() + height) {
    verticalScrollBar()->setValue(static_cast<int>(std::ceil(below)) + kTopMargin - height);
  }
}

QString TokenArea::describe(int token) const {
  const TokenContent& content = *m_flow.content();
  const CaptureInfo& info = content.slice->analysis->capture->info();
  const auto at = static_cast<std::size_t>(token);
  QStringList facts;
  const QStringList names = m_flow.stripNames();
  const auto strips = m_flow.strips();
  for (qsizetype row = 0; row < names.size(); ++row) {
    const float number = m_flow.numbers(strips[static_cast<std::size_t>(row)])[at];
    if (m_flow.isEvicted(token, strips[static_cast<std::size_t>(row)])) {
      facts += tr("%1 evicted").arg(names[row]);
      continue;
    }
    if (std::isnan(number)) continue;
    const bool whole = strips[static_cast<std::size_t>(row)] != TokenFlow::Strip::attention;
    facts += QStringLiteral("%1 %2").arg(
        names[row], whole ? QString::number(static_cast<int>(number)) : numberText(number));
  }
  const int jumps = content.strips.violations[at];
  if (jumps > 0) facts += counted(jumps, tr("1 violation"), tr("%1 violations"));
  if (token >= content.slice->analysis->replay->prefix) facts += tr("not yet in the cache");
  return tr("token %1 %2: %3")
      .arg(token)
      .arg(quoted(info.token_text[at]), facts.join(QStringLiteral(", ")));
}

bool TokenArea::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::Leave) m_selection->hover(std::nullopt);
  if (event->type() == QEvent::ToolTip && m_flow.content()) {
    auto* help = static_cast<QHelpEvent*>(event);
    if (const auto token = m_flow.tokenAt(help->pos(), top())) {
      const CaptureInfo& info = m_flow.content()->slice->analysis->capture->info();
      QString text = describe(*token) + QLatin1Char('\n') +
                     tr("bytes %1").arg(QString::fromStdString(token_hex(info, *token)));
      if (is_special(info, *token)) text += tr(", a special token");
      QToolTip::showText(help->globalPos(), text, viewport());
    } else {
      QToolTip::hideText();
    }
    return true;
  }
  return QAbstractScrollArea::viewportEvent(event);
}

void TokenArea::paintEvent(QPaintEvent*) {
  QPainter painter(viewport());
  const QRectF area(viewport()->rect());
  painter.fillRect(area, m_theme.surface);
  m_flow.draw(&painter, area, top());
  if (m_updating) painter.fillRect(area, QBrush(m_theme.hatch, Qt::Dense7Pattern));
  if (m_flow.content() && m_flow.shownCount() == 0) {
    painter.setPen(m_theme.muted);
    painter.setFont(Theme::font(Theme::kLabelPx));
    painter.drawText(area, Qt::AlignCenter, tr("The filter leaves no token."));
  }
  if (m_ring) {
    painter.setPen(QPen(m_theme.accent, px(2)));
    painter.drawRect(area.adjusted(1, 1, -1, -1));
  }
}

void TokenArea::resizeEvent(QResizeEvent*) { updateScroll(); }

void TokenArea::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || !m_flow.content()) return;
  m_pressed = m_flow.tokenAt(event->position(), top());
  m_dragged.reset();
}

void TokenArea::mouseMoveEvent(QMouseEvent* event) {
  if (!m_flow.content()) return;
  const auto token = m_flow.tokenAt(event->position(), top());
  if (m_pressed && (event->buttons() & Qt::LeftButton) && token && *token != *m_pressed) {
    m_dragged = token;
  }
  m_selection->hover(token ? std::optional(cursorOf(*token)) : std::nullopt);
}

void TokenArea::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || !m_pressed || !m_flow.content()) return;
  const TokenRange from = unitOf(*m_pressed);
  if (m_dragged) {
    const TokenRange to = unitOf(*m_dragged);
    const TokenRange all{std::min(from.first, to.first), std::max(from.last, to.last)};
    m_selection->drag(SelectionSet::of_tokens(m_selection->shape(), std::vector<TokenRange>{all}),
                      event->modifiers());
  } else if (m_flow.tokenAt(event->position(), top()) == m_pressed) {
    m_selection->click(cursorOf(*m_pressed), from, event->modifiers());
  }
  m_pressed.reset();
  m_dragged.reset();
}

std::optional<int> TokenArea::moved(int key, int token) const {
  const bool units = m_flow.content()->granularity != Granularity::token;
  const TokenRange unit = unitOf(token);
  switch (key) {
    case Qt::Key_Left:
      return m_flow.stepped(units ? unit.first : token, -1);
    case Qt::Key_Right:
      return m_flow.stepped(units ? unit.last : token, 1);
    case Qt::Key_Up:
      return m_flow.neighbour(token, -1);
    case Qt::Key_Down:
      return m_flow.neighbour(token, 1);
    case Qt::Key_Home:
      return m_flow.stepped(0, 0);
    case Qt::Key_End:
      return m_flow.stepped(static_cast<int>(m_flow.content()->text->shown.size()) - 1, 0);
    default:
      return std::nullopt;
  }
}

void TokenArea::keyPressEvent(QKeyEvent* event) {
  const auto& lock = m_selection->locked();
  if (!m_flow.content() || m_flow.shownCount() == 0) return event->ignore();
  const int last = static_cast<int>(m_flow.content()->text->shown.size()) - 1;
  const int from = lock ? std::clamp(lock->token, 0, last) : m_flow.stepped(0, 0);
  auto next = moved(event->key(), from);
  if (!next) {
    QAbstractScrollArea::keyPressEvent(event);
    return;
  }
  // The first key shows where the cursor is.
  if (!lock) next = from;
  if (event->modifiers() & Qt::ShiftModifier) {
    m_selection->extendTo(cursorOf(*next));
  } else {
    m_selection->lock(cursorOf(*next));
  }
}

void TokenArea::focusInEvent(QFocusEvent* event) {
  QAbstractScrollArea::focusInEvent(event);
  m_ring = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
  viewport()->update();
}

void TokenArea::focusOutEvent(QFocusEvent* event) {
  QAbstractScrollArea::focusOutEvent(event);
  m_ring = false;
  viewport()->update();
}

}  // namespace qaq::views
