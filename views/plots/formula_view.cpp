#include "views/plots/formula_view.h"

#include <QAbstractTextDocumentLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <cmath>

#include "core/analysis/row_table.h"
#include "core/replay/captured_layers.h"
#include "views/plots/coordinate_text.h"
#include "views/plots/formula_text.h"
#include "views/plots/policy_text.h"

namespace qaq::views {
namespace {

constexpr Px<int> kMargin{14};  // px
constexpr int kFigureWidth = 760;
const QString kScheme = QStringLiteral("symbol:");

}  // namespace

// What explains cells of one setting, on the worker alone.
struct FormulaView::Source {
  Source(const SharedAnalysis& made)
      : analysis(made),
        explainer(*made->capture, {.params = made->params.qaq, .prefix = made->replay->prefix}) {}

  SharedAnalysis analysis;  ///< holds the capture
  Explainer explainer;
};

FormulaView::FormulaView(SelectionModel* selection, QWidget* parent)
    : PaintedView(selection, parent),
      m_explained([this](const auto& made) { take(made); },
                  [this](const QString& line) { setMessage(line); }) {
  m_text.setDocumentMargin(0);
  m_text.setUndoRedoEnabled(false);
  setMouseTracking(true);
  connect(selection, &SelectionModel::hoverChanged, this, &FormulaView::request);
  connect(selection, &SelectionModel::lockChanged, this, &FormulaView::request);
}

FormulaView::~FormulaView() = default;

void FormulaView::show(const SharedSlice& slice) {
  m_slice = slice;
  request();
}

void FormulaView::setMessage(const QString& text) {
  m_shown = nullptr;
  m_isOfPolicy = false;
  m_lines.clear();
  PaintedView::setMessage(text);
}

void FormulaView::setTheme(const Theme& theme) {
  PaintedView::setTheme(theme);
  m_text.setDefaultFont(Theme::font(Theme::kLabelPx));
  setText();
}

void FormulaView::showEvent(QShowEvent* event) {
  PaintedView::showEvent(event);
  request();
}

void FormulaView::request() {
  // A hidden view follows no pointer; a figure's view is never on a screen.
  if (!m_slice || (window()->isVisible() && !isVisible())) return;
  const auto& cursor = selection()->current();
  const SharedAnalysis& analysis = m_slice->analysis;
  const CaptureInfo& info = analysis->capture->info();
  if (!analysis->params.is_qaq()) {
    showPolicy();
    return;
  }
  m_isOfPolicy = false;
  // A cursor of a capture that is being opened means nothing in the one still shown.
  if (!cursor || cursor->layer >= info.n_captured_layers() || cursor->token >= info.n_tokens) {
    m_shown = nullptr;
    setMessage(
        tr("Point at a cell of a map, or click to lock one: here is how it came to its "
           "bits."));
    return;
  }
  if (!m_source || m_source->analysis->capture != analysis->capture ||
      m_source->analysis->replay->prefix != analysis->replay->prefix ||
      !same_parameters(m_source->analysis->params.qaq, analysis->params.qaq)) {
    m_source = std::make_shared<Source>(analysis);
  }
  const CellAddress cell{cursor->side, info.layers[static_cast<std::size_t>(cursor->layer)],
                         cursor->kvHead, cursor->token};
  m_explained.request([source = m_source, cell](const Work& work) {
    return std::make_shared<const CellExplanation>(source->explainer.explain(cell, work));
  });
}

void FormulaView::showPolicy() {
  m_shown = nullptr;
  m_lines.clear();
  m_isOfPolicy = true;
  m_fate.reset();
  const Analysis& analysis = *m_slice->analysis;
  const CaptureInfo& info = analysis.capture->info();
  const auto& cursor = selection()->current();
  if (cursor && cursor->layer < info.n_captured_layers() && cursor->token < info.n_tokens) {
    m_fate = cell_fate(info, *analysis.replay,
                       {cursor->side, info.layers[static_cast<std::size_t>(cursor->layer)],
                        cursor->kvHead, cursor->token});
    m_place = coordinateText(info, *cursor);
  }
  setText();
  pictureChanged();
}

void FormulaView::take(const std::shared_ptr<const CellExplanation>& explanation) {
  // Of a cell that was left meanwhile, or of the policy before.
  if (!selection()->current() || m_isOfPolicy) return;
  m_shown = explanation;
  m_lines = bit_formula(*explanation);
  const CaptureInfo& info = m_slice->analysis->capture->info();
  const CellAddress& cell = explanation->cell;
  m_place = coordinateText(info, {.side = cell.side,
                                  .layer = captured_index(info.layers, cell.layer).value(),
                                  .kvHead = static_cast<int>(cell.kv_head),
                                  .token = static_cast<int>(cell.token)});
  setText();
  pictureChanged();
}

void FormulaView::setText() {
  if (m_shown) m_text.setHtml(formulaHtml(*m_shown, m_place, theme(), m_symbol));
  if (m_isOfPolicy) {
    const Analysis& analysis = *m_slice->analysis;
    m_text.setHtml(policyHtml(analysis.params, *analysis.replay, m_fate, m_place, theme()));
  }
}

void FormulaView::paint(QPainter* painter, const QSize& size) {
  if (!m_shown && !m_isOfPolicy) return;
  m_text.setTextWidth(size.width() - 2 * kMargin);
  painter->translate(kMargin, kMargin);
  QAbstractTextDocumentLayout::PaintContext context;
  context.palette.setColor(QPalette::Text, theme().text);
  m_text.documentLayout()->draw(painter, context);
}

QSize FormulaView::figureSize() const {
  const std::unique_ptr<QTextDocument> copy(m_text.clone());
  copy->setTextWidth(kFigureWidth - 2 * kMargin);
  return {kFigureWidth, static_cast<int>(std::ceil(copy->size().height())) + 2 * kMargin};
}

QString FormulaView::symbolAt(const QPoint& position) const {
  if (!m_shown) return {};
  const QPoint at = position - pictureArea().topLeft() - QPoint(kMargin, kMargin);
  const QString anchor = m_text.documentLayout()->anchorAt(at);
  return anchor.startsWith(kScheme) ? anchor.mid(kScheme.size()) : QString();
}

const FormulaTerm* FormulaView::termOf(const QString& symbol) const {
  for (const FormulaLine& line : m_lines) {
    for (const FormulaTerm& term : line.terms) {
      if (!symbol.isEmpty() && term.symbol == symbol.toStdString()) return &term;
    }
  }
  return nullptr;
}

void FormulaView::hover(const QString& symbol) {
  if (symbol == m_symbol) return;
  m_symbol = symbol;
  setText();
  update();
  const FormulaTerm* term = termOf(symbol);
  emit symbolHovered(term ? QString::fromStdString(term->source.name) : QString());
}

void FormulaView::mouseMoveEvent(QMouseEvent* event) { hover(symbolAt(event->pos())); }

void FormulaView::leaveEvent(QEvent* event) {
  PaintedView::leaveEvent(event);
  hover({});
}

bool FormulaView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    if (const FormulaTerm* term = termOf(symbolAt(help->pos()))) {
      QToolTip::showText(help->globalPos(), QString::fromStdString(term->meaning), this);
    } else {
      QToolTip::hideText();
    }
    return true;
  }
  return PaintedView::event(event);
}

std::optional<Table> FormulaView::table() const {
  if (m_isOfPolicy) {
    std::vector<std::vector<Cell>> rows;
    for (const Parameter& each : list_parameters(m_slice->analysis->params)) {
      rows.push_back({m_slice->analysis->params.policy, each.name, value_text(each.value)});
    }
    return table_of({{.name = "of", .kind = ColumnKind::text},
                     {.name = "parameter", .kind = ColumnKind::text},
                     {.name = "value", .kind = ColumnKind::text}},
                    std::move(rows));
  }
  if (!m_shown) return std::nullopt;
  std::vector<std::vector<Cell>> rows;
  for (const FormulaLine& line : m_lines) {
    for (const FormulaTerm& term : line.terms) {
      if (term.kind != FormulaTerm::Kind::number) continue;
      rows.push_back({line.symbol, term.symbol, real_cell(term.value)});
    }
  }
  return table_of({{.name = "of", .kind = ColumnKind::text},
                   {.name = "symbol", .kind = ColumnKind::text},
                   {.name = "number", .kind = ColumnKind::real, .unit = "1"}},
                  std::move(rows));
}

QString FormulaView::summary() const {
  if (m_isOfPolicy) {
    const QStringList help = policyHelp(m_slice->analysis->params);
    const QString policy =
        help.isEmpty() ? policyName(m_slice->analysis->params) : help.join(QStringLiteral("; "));
    return m_fate ? tr("%1. %2: %3").arg(policy, m_place, fateText(*m_fate)) : policy;
  }
  if (!m_shown) return error();
  return QStringLiteral("%1: %2").arg(m_place, formulaResult(*m_shown));
}

}  // namespace qaq::views
