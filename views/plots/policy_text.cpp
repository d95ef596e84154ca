#include "views/plots/policy_text.h"

#include <QCoreApplication>
#include <algorithm>

#include "core/policy/policies.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("PolicyText", text); }

QString textOf(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString line(const QString& text) { return QStringLiteral("<p>%1</p>").arg(text); }

// "K: 2.4 bits a value on average, 18.1 KiB packed, 50 % evicted".
QString cacheText(const QString& letter, const CacheReplay& cache) {
  QString out = tr("%1: %2 bits a value on average, %3 packed")
                    .arg(letter, numberText(cache.average_n_bits),
                         bytesText(static_cast<double>(cache.packed.total())));
  if (!cache.evicts()) return out;
  const double kept = static_cast<double>(cache.n_kept) / static_cast<double>(cache.n_values);
  return out + tr(", %1 evicted").arg(shareText(1 - kept));
}

QString cellText(const CellFate& fate) {
  switch (fate.kind) {
    case CellFate::Kind::behind:
      return tr("not in the cache yet: the prefix has %1 tokens").arg(fate.prefix);
    case CellFate::Kind::evicted:
      return tr("<b>evicted</b>: its KV head has dropped it, so that it has no bits and no error");
    case CellFate::Kind::exact:
      return tr("<b>left exact</b>");
    case CellFate::Kind::coded:
      break;
  }
  QString out = QStringLiteral("<b>%1</b>").arg(fateText(fate));
  if (fate.rms_error) out += tr(", error %1 RMS").arg(numberText(*fate.rms_error));
  if (fate.n_outliers > 0) out += tr(", %1 values kept exactly").arg(fate.n_outliers);
  return out;
}

QString parametersHtml(const ScopeParams& params) {
  QString rows;
  const auto plain = list_parameters(defaults_of(params));
  for (const Parameter& each : params.rest) {
    const auto known = std::ranges::find(plain, each.name, &Parameter::name);
    const bool isSet = known != plain.end() && known->value != each.value;
    const QString value = QString::fromStdString(value_text(each.value)).toHtmlEscaped();
    rows +=
        QStringLiteral("<tr><td>%1&nbsp;=&nbsp;</td><td>%2%3</td></tr>")
            .arg(QString::fromStdString(each.name),
                 isSet ? QStringLiteral("<b>%1</b>").arg(value) : value,
                 each.info.unit.empty() ? QString() : QLatin1Char(' ') + textOf(each.info.unit));
  }
  return rows.isEmpty() ? QString() : QStringLiteral("<table>%1</table>").arg(rows);
}

}  // namespace

QString policyName(const ScopeParams& params) { return QString::fromStdString(params.policy); }

QStringList policyHelp(const ScopeParams& params) {
  QStringList out;
  for (const QString& half : policyName(params).split(QLatin1Char('+'))) {
    for (const PolicyEntry& entry : policies()) {
      if (textOf(entry.name) == half) out += tr("%1: %2").arg(half, textOf(entry.help));
    }
  }
  return out;
}

QString changedText(const ScopeParams& params) {
  QStringList out;
  const auto all = list_parameters(params), plain = list_parameters(defaults_of(params));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].value == plain[i].value) continue;
    out += QString::fromStdString(all[i].name + " " + value_text(all[i].value));
  }
  return out.join(QStringLiteral(", "));
}

QString backToQaq() {
  return tr("“Choose policy…” with qaq, above the parameters or in the menu Edit, shows it.");
}

QString fateText(const CellFate& fate) {
  switch (fate.kind) {
    case CellFate::Kind::evicted:
      return tr("evicted");
    case CellFate::Kind::behind:
    case CellFate::Kind::exact:
      return tr("left exact");
    case CellFate::Kind::coded:
      break;
  }
  return counted(fate.n_bits, tr("1 bit"), tr("%1 bits"));
}

QString policyHtml(const ScopeParams& params, const ReplayResult& result,
                   const std::optional<CellFate>& fate, const QString& place, const Theme& theme) {
  QString html = QStringLiteral("<div style=\"color: %1\">").arg(theme.text.name());
  QStringList help = policyHelp(params);
  for (QString& each : help) each = each.toHtmlEscaped();
  html += line(QStringLiteral("<b>%1</b>").arg(policyName(params)));
  for (const QString& each : help) html += line(each);
  html += fate ? line(place.toHtmlEscaped() + QStringLiteral(": ") + cellText(*fate))
               : line(tr("Point at a cell of a map, or click to lock one: here is what became of "
                         "it."));
  html += parametersHtml(params);
  html += line(cacheText(QStringLiteral("K"), result.key) + QStringLiteral("<br>") +
               cacheText(QStringLiteral("V"), result.value));
  html += QStringLiteral("<p style=\"color: %1\">%2</p></div>")
              .arg(theme.muted.name(), tr("No formula chooses bits here. %1").arg(backToQaq()));
  return html;
}

}  // namespace qaq::views
