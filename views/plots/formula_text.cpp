#include "views/plots/formula_text.h"

#include <QCoreApplication>
#include <cmath>
#include <set>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("FormulaView", text); }

QString bitsText(int bits) { return counted(bits, tr("1 bit"), tr("%1 bits")); }

QString variantText(const CellExplanation& x) {
  if (!x.params.use_attentions) return tr("fixed bits, as use_attentions is off");
  switch (x.params.variant) {
    case Variant::reference:
      return tr("reference formula: as the authors' code has it");
    case Variant::paper:
      return tr("paper formula: as the authors' paper has it");
    case Variant::bound:
      break;
  }
  return tr("bound formula: one whose promise can be checked");
}

QString levelText(const CellExplanation& x) {
  const auto level = static_cast<std::size_t>(x.params.level);
  return tr("level %1: %2 values share these bits, %3 of them kept exactly")
      .arg(QString::fromStdString(std::string(ChoiceNames<Level>::names[level])))
      .arg(x.unit_size)
      .arg(x.unit_size - x.stats.n_inliers);
}

// Which limit acted on the rounded bits, in words.
QString limitText(const CellExplanation& x) {
  const BitChoice& choice = x.bits.choice;
  const QString limits = tr("limits %1 to %2").arg(x.params.n_bits_min).arg(x.params.n_bits_max);
  if (choice.forced) {
    return tr("%1 by rule: among the newest %2 of %3 tokens, which get n_bits_max")
        .arg(bitsText(choice.n_bits))
        .arg(x.prefix - x.first_forced)
        .arg(x.prefix);
  }
  switch (choice.clamp) {
    case BitChoice::Clamp::min:
      return tr("raised to n_bits_min = %1").arg(x.params.n_bits_min);
    case BitChoice::Clamp::max:
      return tr("cut to n_bits_max = %1").arg(x.params.n_bits_max);
    case BitChoice::Clamp::none:
      break;
  }
  return tr("%1: neither acts").arg(limits);
}

// Rich text of one explanation.
class Html {
 public:
  Html(const CellExplanation& x, const Theme& theme, const QString& hovered)
      : m_x(x), m_theme(theme), m_hovered(hovered) {}

  QString write(const QString& place) {
    paragraph(Theme::kTitlePx, m_theme.text,
              QStringLiteral("<b>%1</b>").arg(tr("Bits of %1").arg(place.toHtmlEscaped())));
    if (!m_x.why_exact.empty()) {
      paragraph(kFormulaPx, m_theme.text, formulaResult(m_x).toHtmlEscaped());
      return m_html;
    }
    paragraph(Theme::kLabelPx, m_theme.muted,
              variantText(m_x) + QStringLiteral(" · ") + levelText(m_x));
    for (const FormulaLine& line : bit_formula(m_x)) write(line);
    if (m_x.params.use_attentions) {
      const QString unmet =
          m_x.bits.choice.unmet ? tr("no number of bits up to 16 keeps σ²; ") : QString();
      paragraph(kFormulaPx, m_theme.text,
                QStringLiteral("<b>%1</b> &nbsp; <span style='color: %2'>%3</span>")
                    .arg(bitsText(m_x.bits.choice.n_bits), m_theme.muted.name(),
                         (unmet + limitText(m_x)).toHtmlEscaped()));
    } else {
      paragraph(kFormulaPx, m_theme.text,
                QStringLiteral("<b>%1</b>").arg(bitsText(m_x.bits.choice.n_bits)));
    }
    writeMeanings();
    return m_html;
  }

 private:
  static constexpr int kFormulaPx = 14;

  void paragraph(int px, const QColor& color, const QString& text, int indent = 0) {
    m_html += QStringLiteral(
                  "<p style='margin-top: 0px; margin-bottom: 6px; margin-left: %1px; "
                  "font-size: %2px; color: %3'>%4</p>")
                  .arg(wholePx(indent))
                  .arg(wholePx(px))
                  .arg(color.name(), text);
  }

  QString termHtml(const FormulaTerm& term) const {
    if (term.kind == FormulaTerm::Kind::text) return prettySigns(term.text).toHtmlEscaped();
    const bool isNumber = term.kind == FormulaTerm::Kind::number;
    const QString text = isNumber ? QStringLiteral("<b>%1</b>").arg(shortNumberText(term.value))
                                  : prettySymbol(term.symbol);
    const QString symbol = QString::fromStdString(term.symbol);
    const QString mark =
        symbol == m_hovered
            ? QStringLiteral("; background-color: %1").arg(m_theme.accentSoft.name())
            : QString();
    return QStringLiteral("<a href='symbol:%1' style='color: %2; text-decoration: none%3'>%4</a>")
        .arg(symbol.toHtmlEscaped(), (isNumber ? m_theme.text : m_theme.accent).name(), mark, text);
  }

  void write(const FormulaLine& line) {
    QString text;
    for (const FormulaTerm& term : line.terms) text += termHtml(term);
    if (line.kind == FormulaLine::Kind::rounding) {
      text.replace(QStringLiteral(") = "), QStringLiteral("⌉ = "));
    }
    if (line.kind == FormulaLine::Kind::formula) {
      paragraph(kFormulaPx, m_theme.text, text);
      return;
    }
    paragraph(kFormulaPx, m_theme.text, text, 18);
    for (const FormulaTerm& term : line.terms) {
      if (term.kind == FormulaTerm::Kind::number) m_terms.push_back(term);
    }
  }

  // Of each symbol once, in the order in which formulas name them.
  void writeMeanings() {
    std::set<std::string> told;
    QString rows;
    for (const FormulaTerm& term : m_terms) {
      if (term.meaning.empty() || !told.insert(term.symbol).second) continue;
      QString meaning = QString::fromStdString(term.meaning).toHtmlEscaped();
      if (term.source.kind == FormulaSource::Kind::view) {
        meaning += tr(" (see %1)").arg(QString::fromStdString(term.source.name));
      }
      rows += QStringLiteral("<tr><td style='padding-right: 12px'>%1</td><td>%2</td></tr>")
                  .arg(prettySymbol(term.symbol), meaning);
    }
    if (rows.isEmpty()) return;
    m_html +=
        QStringLiteral("<table style='font-size: %1px; color: %2; margin-top: 8px'>%3</table>")
            .arg(wholePx(Theme::kTickPx))
            .arg(m_theme.muted.name(), rows);
  }

  const CellExplanation& m_x;
  const Theme& m_theme;
  QString m_hovered;
  QString m_html;
  QList<FormulaTerm> m_terms;
};

}  // namespace

QString prettySymbol(const std::string& symbol) {
  if (symbol == "sigma^2") return QStringLiteral("σ²");
  if (symbol == "kappa") return QStringLiteral("κ");
  const QString text = QString::fromStdString(symbol);
  // A lone letter's index; names of parameters stay as they are.
  if (text.size() > 2 && text[1] == QLatin1Char('_') && text != QLatin1String("n_bits_uniform") &&
      text != QLatin1String("n_bits")) {
    return QStringLiteral("%1<sub>%2</sub>").arg(text[0]).arg(text.mid(2));
  }
  return text;
}

QString prettySigns(const std::string& text) {
  QString out = QString::fromStdString(text);
  for (const auto& [plain, pretty] : {std::pair{"= ceil(", "= ⌈"},
                                      {" * ", " · "},
                                      {"sqrt(", "√("},
                                      {"log2(", "log₂("},
                                      {"^2", "²"},
                                      {"^3", "³"},
                                      {" - ", " − "},
                                      {">=", "≥"},
                                      {"<=", "≤"}}) {
    out.replace(QLatin1String(plain), QString::fromUtf8(pretty));
  }
  return out;
}

QString formulaHtml(const CellExplanation& explanation, const QString& place, const Theme& theme,
                    const QString& hovered) {
  return Html(explanation, theme, hovered).write(place);
}

QString formulaResult(const CellExplanation& explanation) {
  if (!explanation.why_exact.empty()) {
    return (explanation.evicted ? tr("evicted: %1") : tr("left exact: %1"))
        .arg(QString::fromStdString(explanation.why_exact));
  }
  const QString bits = bitsText(explanation.bits.choice.n_bits);
  if (!explanation.params.use_attentions) return bits;
  return QStringLiteral("%1; %2").arg(bits, limitText(explanation));
}

}  // namespace qaq::views
