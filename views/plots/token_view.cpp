#include "views/plots/token_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <qcustomplot.h>

#include "core/analysis/row_table.h"
#include "core/analysis/token_search.h"
#include "views/plots/elided_label.h"
#include "views/plots/number_format.h"
#include "views/plots/token_legend.h"
#include "views/plots/view_choice.h"

namespace qaq::views {
namespace {

constexpr Px<int> kHeaderHeight{30};
constexpr QLatin1String kGranularity("granularity"), kAllHeads("all_heads");  // in viewState()

/// The line below the text that says what its colours mean.
class LegendStrip : public QWidget {
 public:
  LegendStrip(const TokenFlow* flow, const Theme* theme) : m_flow(flow), m_theme(theme) {
    setFixedHeight(TokenLegend::kHeight);
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    TokenLegend::draw(&painter, rect(), *m_flow, *m_theme);
  }

 private:
  const TokenFlow* m_flow;
  const Theme* m_theme;
};

}  // namespace

TokenView::TokenView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent),
      m_header(new QWidget),
      m_title(new QLabel(tr("Tokens"))),
      m_subtitle(new ElidedLabel),
      m_state(new QLabel),
      m_granularity(new QComboBox),
      m_scope(new QComboBox),
      m_search(new QLineEdit),
      m_count(new QLabel),
      m_previous(new QToolButton),
      m_next(new QToolButton),
      m_area(new TokenArea(selection)),
      m_legend(new LegendStrip(&m_area->flow(), &m_theme)),
      m_text(new QLabel),
      m_pages(new QStackedLayout),
      m_job([this](const SharedTokenContent& content) { present(content); },
            [this](const QString& line) { setMessage(line); }) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(1, 1, 1, 1);
  column->setSpacing(0);
  makeHeader();
  column->addWidget(m_header);
  auto* body = new QWidget;
  auto* stack = new QVBoxLayout(body);
  stack->setContentsMargins(0, 0, 0, 0);
  stack->setSpacing(0);
  stack->addWidget(m_area, 1);
  stack->addWidget(m_legend);
  column->addLayout(m_pages, 1);
  m_pages->addWidget(body);
  m_pages->addWidget(m_text);
  m_text->setAlignment(Qt::AlignCenter);
  m_text->setWordWrap(true);
  m_text->setMargin(16);
  m_text->setFont(Theme::font(Theme::kLabelPx));
  setFocusProxy(m_area);
  setTheme(m_theme);
}

void TokenView::makeHeader() {
  m_header->setFixedHeight(kHeaderHeight);
  auto* row = new QHBoxLayout(m_header);
  row->setContentsMargins(12, 0, 8, 0);
  row->setSpacing(8);
  m_title->setFont(Theme::font(Theme::kTitlePx, true));
  // The title says everything; where there is little room its end is cut, not the controls.
  m_subtitle->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  for (QLabel* label : {m_subtitle, m_state, m_count}) {
    label->setFont(Theme::font(Theme::kLabelPx));
  }
  for (const QString& name : {tr("token"), tr("word"), tr("sentence"), tr("paragraph")}) {
    m_granularity->addItem(name);
  }
  m_granularity->setToolTip(
      tr("What a click selects; strips are the minimum of bits, and the "
         "maximum of the rest, of its tokens"));
  m_granularity->setAccessibleName(tr("Granularity"));
  m_scope->addItems({tr("this layer and KV head"), tr("all: min of bits, max of outliers")});
  m_scope->setToolTip(tr("Of which layers and KV heads the strips are"));
  m_scope->setAccessibleName(tr("Strips of"));
  m_search->setPlaceholderText(tr("Find text"));
  m_search->setAccessibleName(tr("Find text"));
  m_search->setClearButtonEnabled(true);
  m_search->setFixedWidth(130);
  m_previous->setArrowType(Qt::UpArrow);
  m_previous->setToolTip(tr("Previous (Shift+Enter)"));
  m_previous->setAccessibleName(tr("Previous place"));
  m_next->setArrowType(Qt::DownArrow);
  m_next->setToolTip(tr("Next (Enter)"));
  m_next->setAccessibleName(tr("Next place"));
  row->addWidget(m_title);
  row->addWidget(m_subtitle, 1);
  row->addWidget(m_state);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_scope, m_granularity, m_search, m_count,
                                                         m_previous, m_next}) {
    row->addWidget(widget);
  }
  for (QWidget* widget :
       std::initializer_list<QWidget*>{m_scope, m_granularity, m_search, m_previous, m_next}) {
    widget->setMaximumHeight(25);
  }
  connect(m_granularity, &QComboBox::currentIndexChanged, this, &TokenView::request);
  connect(m_scope, &QComboBox::currentIndexChanged, this, &TokenView::request);
  connect(m_search, &QLineEdit::textEdited, this, &TokenView::find);
  connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
    if (text.isEmpty()) find({});  // by the button that clears
  });
  connect(m_search, &QLineEdit::returnPressed, this,
          [this] { findNext(QGuiApplication::keyboardModifiers() & Qt::ShiftModifier ? -1 : 1); });
  connect(m_previous, &QToolButton::clicked, this, [this] { findNext(-1); });
  connect(m_next, &QToolButton::clicked, this, [this] { findNext(1); });
}

void TokenView::show(const SharedSlice& slice) {
  m_slice = slice;
  m_message.clear();
  request();
}

void TokenView::request() {
  if (!m_slice) return;
  TokenRequest wanted{.slice = m_slice,
                      .granularity = static_cast<Granularity>(m_granularity->currentIndex()),
                      .allHeads = m_scope->currentIndex() == 1};
  if (const SharedTokenContent& last = m_area->flow().content()) {
    wanted.text = last->text;
    wanted.textOf = last->slice->analysis->capture.get();
  }
  m_job.request([wanted](const Work& work) { return makeTokenContent(wanted, work); });
}

void TokenView::present(const SharedTokenContent& content) {
  if (!m_slice) return;
  const SharedTokenContent& before = m_area->flow().content();
  const bool other = !before || before->text != content->text;
  m_area->setContent(content);
  m_pages->setCurrentIndex(0);
  m_subtitle->setText(subtitle());
  m_subtitle->setToolTip(subtitle());
  m_legend->update();
  if (other && !m_search->text().isEmpty()) lookAgain();
  setAccessibleName(title());
  setAccessibleDescription(summary());
}

void TokenView::setMessage(const QString& text) {
  m_message = text;
  m_slice = nullptr;
  m_text->setText(text);
  m_pages->setCurrentIndex(1);
}

void TokenView::setTheme(const Theme& theme) {
  m_theme = theme;
  m_area->setTheme(theme);
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  for (QLabel* label : {m_text, m_state, m_count, m_subtitle}) label->setStyleSheet(muted);
  m_title->setStyleSheet(QStringLiteral("color: %1").arg(theme.text.name()));
  const SharedTokenContent& shown = m_area->flow().content();
  if (shown && shown->text->scale != px(1)) request();
  update();
}

void TokenView::setUpdating(bool updating) {
  m_state->setText(updating ? tr("updating") : QString());
  m_area->setUpdating(updating);
}

void TokenView::setCompact(bool compact) {
  m_header->setVisible(!compact);
  m_legend->setVisible(!compact);
}

void TokenView::setGranularity(Granularity granularity) {
  m_granularity->setCurrentIndex(static_cast<int>(granularity));
}

QJsonObject TokenView::viewState() const {
  QJsonObject state;
  keepChoice(state, kGranularity, static_cast<Granularity>(m_granularity->currentIndex()),
             Granularity::token);
  if (m_scope->currentIndex() == 1) state[kAllHeads] = true;
  return state;
}

void TokenView::setViewState(const QJsonObject& state) {
  setGranularity(keptChoice(state, kGranularity, Granularity::token));
  setAllHeads(state.value(kAllHeads).toBool());
}

void TokenView::setAllHeads(bool all) { m_scope->setCurrentIndex(all ? 1 : 0); }

void TokenView::openSearch() {
  m_search->setFocus(Qt::ShortcutFocusReason);
  m_search->selectAll();
}

void TokenView::find(const QString& text) {
  if (m_search->text() != text) {
    const QSignalBlocker block(m_search);
    m_search->setText(text);
  }
  lookAgain();
  if (m_found.empty()) return;
  const auto& lock = selection()->locked();
  const int from = lock ? lock->token : 0;
  auto at = std::ranges::lower_bound(m_found, from);
  if (at == m_found.end()) at = m_found.begin();
  selection()->lock(m_area->cursorOf(*at));
  m_count->setText(foundText());
}

void TokenView::lookAgain() {
  m_found.clear();
  if (m_slice) {
    m_found = tokens_with_text(m_slice->analysis->capture->info(), m_search->text().toStdString());
  }
  m_area->setFound(m_found);
  m_count->setText(m_search->text().isEmpty() ? QString() : foundText());
}

void TokenView::findNext(int by) {
  if (m_found.empty()) return;
  const auto& lock = selection()->locked();
  const auto n = static_cast<std::ptrdiff_t>(m_found.size());
  const int from = lock ? lock->token : -1;
  std::ptrdiff_t at = 0;
  if (by > 0) {
    at = std::ranges::upper_bound(m_found, from) - m_found.begin();
  } else {
    at = std::ranges::lower_bound(m_found, from) - m_found.begin() - 1;
  }
  // Round the ends.
  at = (at + n) % n;
  selection()->lock(m_area->cursorOf(m_found[static_cast<std::size_t>(at)]));
  m_count->setText(foundText());
}

QString TokenView::foundText() const {
  const auto n = static_cast<qlonglong>(m_found.size());
  const auto& lock = selection()->locked();
  if (lock) {
    const auto at = std::ranges::find(m_found, lock->token);
    if (at != m_found.end()) {
      return tr("%1 of %2").arg(at - m_found.begin() + 1).arg(n);
    }
  }
  return n == 0 ? tr("not found") : counted(n, tr("1 place"), tr("%1 places"));
}

QString TokenView::subtitle() const {
  const SharedTokenContent& content = m_area->flow().content();
  if (!content) return {};
  const Analysis& analysis = *content->slice->analysis;
  const CaptureInfo& info = analysis.capture->info();
  const Slice& slice = content->slice->slice;
  const QString head = tr("layer %1 · KV head %2")
                           .arg(info.layers[static_cast<std::size_t>(slice.layer)])
                           .arg(slice.kvHead);
  QStringList parts;
  if (content->allHeads) {
    parts += tr("all %1 layers × %2 KV heads: min of bits, max of outliers")
                 .arg(info.n_captured_layers())
                 .arg(info.shape.n_kv_heads);
  } else {
    parts += head;
  }
  if (!content->strips.attention.empty()) {
    const auto group = static_cast<int>(info.shape.group_size());
    const QString heads = slice.queryHead != Slice::kGroup
                              ? tr("query head %1").arg(slice.queryHead)
                          : group == 1 ? tr("query head %1").arg(slice.kvHead)
                                       : tr("query heads %1–%2")
                                             .arg(slice.kvHead * group)
                                             .arg(slice.kvHead * group + group - 1);
    const QString rows =
        content->strips.first_row == content->strips.last_row
            ? tr("row %1").arg(content->strips.last_row)
            : tr("rows %1–%2").arg(content->strips.first_row).arg(content->strips.last_row);
    parts += (content->allHeads ? tr("attention of %1: max of %2, %3").arg(head, rows, heads)
                                : tr("attention: max of %1, %2").arg(rows, heads));
  }
  if (content->granularity != Granularity::token) {
    parts += tr("each %1: min of bits, max of the rest").arg(m_granularity->currentText());
  }
  return parts.join(QStringLiteral(" · "));
}

QString TokenView::summary() const {
  if (!m_message.isEmpty()) return m_message;
  const SharedTokenContent& content = m_area->flow().content();
  if (!content) return tr("No text yet.");
  const auto n = static_cast<std::int64_t>(content->text->shown.size());
  const auto& violations = content->strips.violations;
  const auto jumped =
      std::ranges::count_if(violations, [](std::int32_t count) { return count > 0; });
  return tr("%1, %2 in the cache; %3; %4; importance of %5 jumped.")
      .arg(counted(n, tr("1 token"), tr("%1 tokens")))
      .arg(content->slice->analysis->replay->prefix)
      .arg(subtitle(), TokenLegend::text(m_area->flow()))
      .arg(counted(jumped, tr("1 token"), tr("%1 tokens")));
}

std::optional<Table> TokenView::table() const {
  const SharedTokenContent& content = m_area->flow().content();
  if (!content) return std::nullopt;
  const TokenStrips& strips = content->strips;
  const bool outliers = !strips.outliers.empty(), attention = !strips.attention.empty();
  Table table;
  // As bytes: a text may hold what separates columns.
  table.columns = {{.name = "token"},
                   {.name = "bytes", .kind = ColumnKind::text},
                   {.name = "key_bits", .unit = "bit"},
                   {.name = "value_bits", .unit = "bit"}};
  if (outliers) table.columns.push_back({.name = "outliers", .unit = "1"});
  if (attention) {
    table.columns.push_back({.name = "attention", .kind = ColumnKind::real, .unit = "1"});
  }
  table.columns.push_back({.name = "violations", .unit = "1"});
  table.n_rows = std::ssize(strips.key_bits);
  table.for_each_row = [content, outliers, attention](const RowSink& sink) {
    const TokenStrips& shown = content->strips;
    const CaptureInfo& info = content->slice->analysis->capture->info();
    const auto whole = [](float number) {
      return std::isnan(number) ? Cell() : Cell(static_cast<std::int64_t>(number));
    };
    for (std::int64_t token = 0; token < info.n_tokens; ++token) {
      const auto at = static_cast<std::size_t>(token);
      std::vector<Cell> row{token, token_hex(info, token), whole(shown.key_bits[at]),
                            whole(shown.value_bits[at])};
      if (outliers) row.push_back(whole(shown.outliers[at]));
      if (attention) row.push_back(real_cell(shown.attention[at]));
      row.emplace_back(std::int64_t{shown.violations[at]});
      sink(row);
    }
  };
  return table;
}

QSize TokenView::figureSize() const {
  constexpr int kWidth = 1000;
  TokenFlow flow = m_area->flow();
  flow.setWidth(kWidth);
  // A page at most: the rest is for the screen and the table.
  constexpr double kTallest = 1400;
  const double lines = std::min(std::max(1.0, std::floor(kTallest / flow.lineHeight())),
                                static_cast<double>(std::max(1, flow.lineCount())));
  return {kWidth, static_cast<int>(std::ceil(kHeaderHeight + lines * flow.lineHeight() + 4 +
                                             TokenLegend::kHeight))};
}

void TokenView::paintFigure(QCPPainter* painter, const QSize& size) {
  painter->fillRect(QRect(QPoint(0, 0), size), m_theme.surface);
  painter->setFont(Theme::font(Theme::kTitlePx, true));
  painter->setPen(m_theme.text);
  const QRectF head(12, 0, size.width() - 24, kHeaderHeight);
  QRectF used;
  painter->drawText(head, Qt::AlignLeft | Qt::AlignVCenter, title(), &used);
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(m_theme.muted);
  const QFontMetricsF metrics(painter->font());
  const QRectF rest = head.adjusted(used.width() + 10, 0, 0, 0);
  painter->drawText(rest, Qt::AlignLeft | Qt::AlignVCenter,
                    metrics.elidedText(subtitle(), Qt::ElideRight, rest.width()));
  TokenFlow flow = m_area->flow();
  flow.setWidth(size.width());
  // Whole lines alone.
  const double room = size.height() - kHeaderHeight - TokenLegend::kHeight;
  const double lines = std::max(1.0, std::floor(room / flow.lineHeight()));
  flow.draw(painter, QRectF(0, kHeaderHeight, size.width(), lines * flow.lineHeight()), 0);
  TokenLegend::draw(
      painter, QRectF(0, size.height() - TokenLegend::kHeight, size.width(), TokenLegend::kHeight),
      flow, m_theme);
}

void TokenView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), m_theme.surface);
  painter.setPen(m_theme.border);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

}  // namespace qaq::views
