#include "views/plots/token_flow.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QHash>
#include <algorithm>
#include <cmath>

#include "views/plots/attention_pane.h"
#include "views/plots/cursor_marks.h"
#include "views/plots/evicted_pattern.h"
#include "views/plots/number_format.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {
namespace {

constexpr int kTextPx = 14;
constexpr Px<double> kTop{7}, kText{18}, kBelowText{2}, kStripGap{3}, kBottom{7};
constexpr Px<double> kSpace{7}, kJoint{3}, kLeftOut{22}, kNarrowest{7}, kRight{14};

QString tr(const char* text) { return QCoreApplication::translate("TokenFlow", text); }

// What no font has would be drawn as a box.
bool hasShape(const QFontMetricsF& metrics, const QString& text) {
  const QList<uint> letters = text.toUcs4();
  return std::ranges::all_of(letters, [&](uint letter) { return metrics.inFontUcs4(letter); });
}

}  // namespace

std::shared_ptr<const TokenText> measureTokens(const CaptureInfo& info, const Work& work) {
  auto out = std::make_shared<TokenText>();
  const QFontMetricsF metrics(Theme::font(kTextPx));
  out->scale = px(1);
  struct Known {
    QString shown;
    float width;
  };
  // Texts repeat: each is measured once.
  QHash<QByteArray, Known> known;
  for (std::int64_t token = 0; token < info.n_tokens; ++token) {
    if (token % 1024 == 0) work.throw_if_stopped();
    const std::string& bytes = info.token_bytes[static_cast<std::size_t>(token)];
    const std::string& text = info.token_text[static_cast<std::size_t>(token)];
    const QByteArray key = QByteArray::fromStdString(text + '\0' + bytes);
    auto at = known.constFind(key);
    if (at == known.constEnd()) {
      QString shown = QString::fromStdString(token_display(info, token));
      if (!hasShape(metrics, shown)) shown = QString::fromStdString(token_hex(info, token));
      const double width = std::ceil(metrics.horizontalAdvance(shown));
      at = known.insert(key, {shown, static_cast<float>(std::max<double>(width, kNarrowest))});
    }
    out->shown.push_back(at->shown);
    out->width.push_back(at->width);
    out->spaceBefore.push_back(!text.empty() && text.front() == ' ' ? 1 : 0);
    out->breaksLine.push_back(text.find('\n') != std::string::npos ? 1 : 0);
    out->special.push_back(is_special(info, token) ? 1 : 0);
  }
  return out;
}

SharedTokenContent makeTokenContent(const TokenRequest& request, const Work& work) {
  const Analysis& analysis = *request.slice->analysis;
  const CaptureInfo& info = analysis.capture->info();
  auto out = std::make_shared<TokenContent>();
  out->slice = request.slice;
  out->granularity = request.granularity;
  out->allHeads = request.allHeads;
  out->text =
      request.text && request.textOf == analysis.capture.get() && request.text->scale == px(1)
          ? request.text
          : measureTokens(info, work);
  out->units = token_units(info, request.granularity);
  out->unitOf.resize(static_cast<std::size_t>(info.n_tokens));
  for (std::size_t unit = 0; unit < out->units.size(); ++unit) {
    for (std::int32_t token = out->units[unit].first; token <= out->units[unit].last; ++token) {
      out->unitOf[static_cast<std::size_t>(token)] = static_cast<std::int32_t>(unit);
    }
  }
  StripInputs inputs{.info = &info,
                     .replay = analysis.replay.get(),
                     .attention = request.slice->attention.get(),
                     .violations = analysis.violations.get(),
                     .has_outliers = analysis.stage >= Analysis::Stage::errors,
                     .n_rows = analysis.params.qaq.value.last_n_attentions};
  const Slice& slice = request.slice->slice;
  if (!request.allHeads) {
    inputs.head = StripInputs::Head{
        .layer = slice.layer, .kv_head = slice.kvHead, .query_head = slice.queryHead};
  }
  work.throw_if_stopped();
  out->strips = by_unit(token_strips(inputs), out->units);
  out->values = static_cast<int>(2 * info.shape.head_dim);
  return out;
}

void TokenFlow::setContent(const SharedTokenContent& content) {
  m_content = content;
  breakLines();
}

void TokenFlow::setWidth(double width) {
  if (width == m_width) return;
  m_width = width;
  breakLines();
}

void TokenFlow::setShown(std::optional<std::vector<std::int32_t>> tokens) {
  m_shown = std::move(tokens);
  breakLines();
}

int TokenFlow::shownCount() const {
  if (!m_content) return 0;
  return static_cast<int>(m_shown ? m_shown->size() : m_content->text->shown.size());
}

std::int32_t TokenFlow::tokenOf(std::size_t shown) const {
  return m_shown ? (*m_shown)[shown] : static_cast<std::int32_t>(shown);
}

std::size_t TokenFlow::indexOf(int token) const {
  if (!m_shown) return static_cast<std::size_t>(std::clamp(token, 0, shownCount()));
  return static_cast<std::size_t>(std::ranges::lower_bound(*m_shown, token) - m_shown->begin());
}

double TokenFlow::gapBefore(std::size_t shown) const {
  const std::int32_t token = tokenOf(shown);
  if (shown > 0 && tokenOf(shown - 1) != token - 1) return kLeftOut;
  return m_content->text->spaceBefore[static_cast<std::size_t>(token)] ? kSpace : kJoint;
}

void TokenFlow::breakLines() {
  m_starts.clear();
  if (!m_content) return;
  const auto n = static_cast<std::size_t>(shownCount());
  const double room = std::max(40.0, m_width - kMargin - kRight);
  double x = 0;
  bool broken = true;
  for (std::size_t i = 0; i < n; ++i) {
    const auto token = static_cast<std::size_t>(tokenOf(i));
    const double width = m_content->text->width[token];
    const double gap = broken ? 0 : gapBefore(i);
    if (broken || x + gap + width > room) {
      m_starts.push_back(i);
      x = width;
    } else {
      x += gap + width;
    }
    broken = m_content->text->breaksLine[token] != 0;
  }
  m_starts.push_back(n);
}

std::vector<TokenFlow::Placed> TokenFlow::place(int line) const {
  std::vector<Placed> out;
  const std::size_t first = m_starts[static_cast<std::size_t>(line)];
  const std::size_t end = m_starts[static_cast<std::size_t>(line) + 1];
  double x = kMargin;
  for (std::size_t i = first; i < end; ++i) {
    const std::int32_t token = tokenOf(i);
    if (i > first) x += gapBefore(i);
    const double width = m_content->text->width[static_cast<std::size_t>(token)];
    const bool left_out = i > 0 ? tokenOf(i - 1) != token - 1 : token > 0;
    out.push_back({token, x, width, width, left_out});
    x += width;
  }
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    const auto unit = [&](const Placed& p) {
      return m_content->unitOf[static_cast<std::size_t>(p.token)];
    };
    if (unit(out[i]) == unit(out[i + 1]) && out[i + 1].token == out[i].token + 1) {
      out[i].joined = out[i + 1].x - out[i].x;
    }
  }
  return out;
}

std::vector<TokenFlow::Strip> TokenFlow::strips() const {
  std::vector<Strip> out{Strip::keyBits, Strip::valueBits};
  if (m_content && !m_content->strips.outliers.empty()) out.push_back(Strip::outliers);
  if (m_content && !m_content->strips.attention.empty()) out.push_back(Strip::attention);
  return out;
}

QStringList TokenFlow::stripNames() const {
  QStringList names;
  for (const Strip strip : strips()) {
    switch (strip) {
      case Strip::keyBits:
        names += tr("K bits");
        break;
      case Strip::valueBits:
        names += tr("V bits");
        break;
      case Strip::outliers:
        names += tr("outliers");
        break;
      case Strip::attention:
        names += tr("attention");
        break;
    }
  }
  return names;
}

double TokenFlow::lineHeight() const {
  const auto n = static_cast<double>(strips().size());
  return kTop + kText + kBelowText + n * kStrip + (n - 1) * kStripGap + kBottom;
}

const std::vector<float>& TokenFlow::numbers(Strip strip) const {
  const TokenStrips& all = m_content->strips;
  switch (strip) {
    case Strip::keyBits:
      return all.key_bits;
    case Strip::valueBits:
      return all.value_bits;
    case Strip::outliers:
      return all.outliers;
    case Strip::attention:
      break;
  }
  return all.attention;
}

int TokenFlow::exactFrom(CacheSide side) const {
  return m_content->slice->analysis->exactFrom(side);
}

ColorMap TokenFlow::colors(Strip strip) const {
  switch (strip) {
    case Strip::keyBits:
      return ColorMap::bits(m_theme.palette(), exactFrom(CacheSide::key));
    case Strip::valueBits:
      return ColorMap::bits(m_theme.palette(), exactFrom(CacheSide::value));
    case Strip::outliers:
      return ColorMap::logarithmic(m_theme.palette().viridis(), 1, std::max(2, m_content->values));
    case Strip::attention:
      break;
  }
  return probabilityColors(static_cast<std::int64_t>(m_content->text->shown.size()));
}

bool TokenFlow::isEvicted(int token, Strip strip) const {
  const bool isOfBits = strip == Strip::keyBits || strip == Strip::valueBits;
  return isOfBits && token < m_content->slice->analysis->replay->prefix &&
         std::isnan(numbers(strip)[static_cast<std::size_t>(token)]);
}

std::optional<QRgb> TokenFlow::stripColor(int token, int row) const {
  const Strip strip = strips()[static_cast<std::size_t>(row)];
  const float number = numbers(strip)[static_cast<std::size_t>(token)];
  if (std::isnan(number)) return std::nullopt;
  // None kept exactly is none drawn: the scale begins at one.
  if (strip == Strip::outliers && number < 1) return m_theme.surface.rgb();
  return colors(strip)(number);
}

bool TokenFlow::isMarked(const std::optional<int>& mark, std::int32_t token) const {
  const auto n = static_cast<int>(m_content->unitOf.size());
  return mark && *mark >= 0 && *mark < n &&
         m_content->unitOf[static_cast<std::size_t>(*mark)] ==
             m_content->unitOf[static_cast<std::size_t>(token)];
}

void TokenFlow::drawStrip(QPainter* painter, const Placed& token, Strip strip,
                          const QRectF& box) const {
  const float number = numbers(strip)[static_cast<std::size_t>(token.token)];
  const bool behind = token.token >= m_content->slice->analysis->replay->prefix;
  if (behind) return;
  if (isEvicted(token.token, strip)) {
    drawEvicted(painter, box, m_theme);
  } else if (std::isnan(number)) {
    painter->fillRect(box, QBrush(m_theme.hatch, Qt::BDiagPattern));
  } else if (strip == Strip::outliers && number < 1) {
    painter->fillRect(box, m_theme.surface);
  } else {
    painter->fillRect(box, QColor(colors(strip)(number)));
  }
  painter->setPen(QPen(m_theme.border, px(1)));
  painter->setBrush(Qt::NoBrush);
  painter->drawRect(box.adjusted(0, 0, -1, -1));
}

void TokenFlow::drawMarks(QPainter* painter, const Placed& token, double y) const {
  const double bottom = y + lineHeight() - kBottom + 2;
  const QRectF box(token.x - 2, y + kTop - 1, token.joined + 3, bottom - y - kTop);
  painter->setBrush(Qt::NoBrush);
  if (isMarked(m_marks.hovered, token.token)) {
    painter->setPen(QPen(m_theme.text, px(1)));
    painter->drawRect(box);
  }
  if (isMarked(m_marks.locked, token.token)) {
    painter->setPen(QPen(m_theme.accent, px(2)));
    painter->drawRect(box);
  }
  if (m_content->strips.violations[static_cast<std::size_t>(token.token)] > 0) {
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(m_theme.halo, px(1)));
    painter->setBrush(m_theme.violation);
    painter->drawPolygon(violationTriangle(QPointF(token.x + token.width, y + 5), 8));
    painter->setRenderHint(QPainter::Antialiasing, false);
  }
  if (m_marks.pinned == token.token) {
    drawDiamond(painter, QPointF(token.x, y + 8), m_theme);
    painter->setRenderHint(QPainter::Antialiasing, false);
  }
}

void TokenFlow::drawLine(QPainter* painter, const std::vector<Placed>& line, double y) const {
  const QFont text = Theme::font(kTextPx), small = Theme::font(Theme::kTickPx);
  const std::vector<Strip> all = strips();
  const QStringList names = stripNames();
  const std::int64_t prefix = m_content->slice->analysis->replay->prefix;
  const double stripTop = y + kTop + kText + kBelowText;
  const auto rowTop = [&](qsizetype row) {
    return stripTop + static_cast<double>(row) * (kStrip + kStripGap);
  };
  if (line.front().token < prefix) {
    painter->setFont(small);
    painter->setPen(m_theme.muted);
    for (qsizetype row = 0; row < names.size(); ++row) {
      painter->drawText(QRectF(0, rowTop(row) - 4, kMargin - 8, kStrip + 8),
                        Qt::AlignRight | Qt::AlignVCenter, names[row]);
    }
  }
  for (const Placed& token : line) {
    const auto at = static_cast<std::size_t>(token.token);
    const QRectF words(token.x, y + kTop, token.width, kText);
    const bool locked = isMarked(m_marks.locked, token.token);
    if (locked || m_marks.selected.contains_token(token.token)) {
      const QRectF back(token.x - 2, y + kTop, token.joined + 3, kText);
      painter->fillRect(back, m_theme.accentSoft);
      if (!locked) {
        painter->fillRect(QRectF(back.left(), back.bottom() - 2, back.width(), 2), m_theme.accent);
      }
    }
    if (std::ranges::binary_search(m_marks.found, token.token)) {
      painter->fillRect(QRectF(words.left(), words.top(), words.width(), 2), m_theme.warning);
    }
    if (token.gapBefore) {
      painter->setFont(small);
      painter->setPen(m_theme.faint);
      const double room = token.x > kMargin ? kLeftOut : px(14);
      painter->drawText(QRectF(token.x - room, y + kTop, room, kText), Qt::AlignCenter,
                        QStringLiteral("⋯"));
    }
    painter->setFont(text);
    const bool special = m_content->text->special[at] != 0;
    painter->setPen(token.token >= prefix ? m_theme.faint : special ? m_theme.muted : m_theme.text);
    painter->drawText(words,
                      Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine | Qt::TextDontClip,
                      m_content->text->shown[at]);
    for (std::size_t row = 0; row < all.size(); ++row) {
      drawStrip(painter, token, all[row],
                QRectF(token.x, rowTop(static_cast<qsizetype>(row)), token.joined, kStrip));
    }
  }
  // Last, so that no strip covers them.
  for (const Placed& token : line) drawMarks(painter, token, y);
}

void TokenFlow::draw(QPainter* painter, const QRectF& area, double top) {
  m_laidOut = 0;
  if (!m_content || lineCount() == 0) return;
  painter->save();
  painter->setClipRect(area);
  painter->translate(area.topLeft());
  const int first = std::max(0, static_cast<int>(std::floor(top / lineHeight())));
  for (int line = first; line < lineCount(); ++line) {
    const double y = line * lineHeight() - top;
    if (y >= area.height()) break;
    drawLine(painter, place(line), y);
    ++m_laidOut;
  }
  painter->restore();
}

std::optional<int> TokenFlow::lineOf(int token) const {
  if (!m_content || lineCount() == 0) return std::nullopt;
  const std::size_t index = indexOf(token);
  if (index >= static_cast<std::size_t>(shownCount()) || tokenOf(index) != token) {
    return std::nullopt;
  }
  const auto behind = std::upper_bound(m_starts.begin(), m_starts.end(), index);
  return static_cast<int>(behind - m_starts.begin()) - 1;
}

std::optional<TokenFlow::Placed> TokenFlow::placeOf(int token) const {
  const auto line = lineOf(token);
  if (!line) return std::nullopt;
  for (const Placed& placed : place(*line)) {
    if (placed.token == token) return placed;
  }
  return std::nullopt;
}

QRectF TokenFlow::textRect(int token) const {
  const auto placed = placeOf(token);
  if (!placed) return {};
  return {placed->x, *lineOf(token) * lineHeight() + kTop, placed->width, kText};
}

QRectF TokenFlow::stripRect(int token, int row) const {
  const auto placed = placeOf(token);
  if (!placed) return {};
  const double top = *lineOf(token) * lineHeight() + kTop + kText + kBelowText;
  return {placed->x, top + row * (kStrip + kStripGap), placed->joined, kStrip};
}

std::optional<int> TokenFlow::tokenAt(const QPointF& position, double top) const {
  const int line = static_cast<int>(std::floor((position.y() + top) / lineHeight()));
  if (!m_content || line < 0 || line >= lineCount()) return std::nullopt;
  for (const Placed& token : place(line)) {
    if (position.x() >= token.x - kJoint && position.x() < token.x + token.joined + kJoint) {
      return token.token;
    }
  }
  return std::nullopt;
}

int TokenFlow::neighbour(int token, int by) const {
  const auto line = lineOf(token);
  const auto placed = placeOf(token);
  if (!line || !placed) return stepped(token, 0);
  const int target = std::clamp(*line + by, 0, lineCount() - 1);
  const double middle = placed->x + placed->width / 2;
  int best = token;
  double nearest = 1e9;
  for (const Placed& other : place(target)) {
    const double distance = std::abs(other.x + other.width / 2 - middle);
    if (distance < nearest) {
      nearest = distance;
      best = other.token;
    }
  }
  return best;
}

int TokenFlow::stepped(int token, int by) const {
  if (shownCount() == 0) return token;
  const auto index = static_cast<int>(indexOf(token)) + by;
  return tokenOf(static_cast<std::size_t>(std::clamp(index, 0, shownCount() - 1)));
}

}  // namespace qaq::views
