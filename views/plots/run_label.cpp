#include "views/plots/run_label.h"

#include <QCoreApplication>
#include <functional>

#include "views/plots/number_format.h"
#include "views/plots/policy_text.h"

namespace qaq::views {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("RunLabel", text); }

template <class Enum>
QString nameOf(Enum value) {
  const std::string_view name = ChoiceNames<Enum>::names[static_cast<std::size_t>(value)];
  return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

using Words = std::function<QString(const QaqSideParams&)>;

// What both sides say, once; else keys before values.
QString both(const QaqParams& params, const Words& words) {
  const QString key = words(params.key), value = words(params.value);
  return key == value ? key : QStringLiteral("%1 | %2").arg(key, value);
}

QString goal(const QaqSideParams& side) {
  if (side.level == Level::no_quantization) return tr("exact");
  if (side.use_attentions)
    return tr("target %1").arg(shortNumberText(side.target_quantization_error));
  return counted(side.n_bits_uniform, tr("1 bit"), tr("%1 bits"));
}

QString labelOf(const QaqParams& params) {
  const QaqParams plain;
  QStringList out{both(params, goal)};
  const auto add = [&](const Words& words) {
    if (both(params, words) != both(plain, words)) out.push_back(both(params, words));
  };
  add([](const QaqSideParams& side) { return nameOf(side.variant); });
  add([](const QaqSideParams& side) { return tr("level %1").arg(nameOf(side.level)); });
  add([](const QaqSideParams& side) { return nameOf(side.method); });
  add([](const QaqSideParams& side) {
    const bool byShare = side.outlier_rule == OutlierRule::quantile;
    return tr("outliers %1").arg(byShare ? shareText(side.outliers_ratio) : outliersAsked(side));
  });
  add([](const QaqSideParams& side) { return tr("window %1").arg(side.last_n_attentions); });
  add([](const QaqSideParams& side) {
    return tr("%1 to %2 bits").arg(side.n_bits_min).arg(side.n_bits_max);
  });
  return out.join(QStringLiteral(", "));
}

}  // namespace

QString runLabel(const RunSummary& run) {
  if (!run.name.empty()) return QString::fromStdString(run.name);
  if (run.params.is_qaq()) return labelOf(run.params.qaq);
  const QString changed = changedText(run.params);
  const QString policy = policyName(run.params);
  return changed.isEmpty() ? policy : QStringLiteral("%1, %2").arg(policy, changed);
}

QString outliersAsked(const QaqSideParams& side) {
  if (side.outlier_rule == OutlierRule::nsigma) {
    return tr("beyond %1 σ").arg(shortNumberText(side.n_sigma));
  }
  return tr("nominal %1").arg(shareText(side.outliers_ratio));
}

QString kindText(const ScopeParams& params) {
  if (!params.is_qaq()) return policyName(params);
  const QString key = nameOf(params.qaq.key.level), value = nameOf(params.qaq.value.level);
  return tr("level %1").arg(key == value ? key : QStringLiteral("K %1, V %2").arg(key, value));
}

}  // namespace qaq::views
