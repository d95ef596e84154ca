#include "views/commands/parameter_names.h"

#include <QCoreApplication>

namespace qaq::views {
namespace {

class ParameterNames {
  Q_DECLARE_TR_FUNCTIONS(ParameterNames)
 public:
  static const QMap<QString, QStringList>& words() {
    static const QMap<QString, QStringList> kWords{
        {"last_n_attentions", {tr("window"), tr("attention window")}},
        {"target_quantization_error", {tr("target"), tr("target error")}},
        {"outliers_ratio", {tr("outliers"), tr("outlier ratio")}},
        {"use_attentions", {tr("attention-aware")}},
        {"n_bits_uniform", {tr("uniform bits")}},
        {"n_bits_min", {tr("bits min"), tr("fewest bits")}},
        {"n_bits_max", {tr("bits max"), tr("most bits")}},
        {"q_norm", {tr("query norm")}},
        {"variant", {tr("formula")}},
        {"gqa_reduce", {tr("reducer"), tr("GQA reducer")}},
    };
    return kWords;
  }
};

/// How names are compared: "Target Error" is "target_error".
QString folded(const QString& name) {
  return name.toLower().replace(QLatin1Char(' '), QLatin1Char('_'));
}

/// The parameter's name that `written` means, with its section; empty: none.
QString nameOf(const QString& written, const std::vector<Parameter>& parameters) {
  const QString wanted = folded(written);
  const qsizetype dot = wanted.indexOf(QLatin1Char('.'));
  const QString section = dot < 0 ? QString() : wanted.left(dot + 1);
  QString bare = wanted.mid(section.size());
  const auto& words = ParameterNames::words();
  for (auto it = words.begin(); it != words.end(); ++it) {
    for (const QString& word : it.value()) {
      if (folded(word) == bare) bare = it.key();
    }
  }
  for (const Parameter& parameter : parameters) {
    const QString full = QString::fromStdString(parameter.name);
    if (full == section + bare) return full;
    const auto& name = parameter.info.name;
    if (section.isEmpty() &&
        bare == QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()))) {
      return bare;
    }
  }
  return {};
}

}  // namespace

QStringList wordsFor(const QString& bareName) { return ParameterNames::words().value(bareName); }

std::optional<ParameterLine> readParameterLine(const QString& line,
                                               const std::vector<Parameter>& parameters) {
  const QString text = line.simplified();
  const qsizetype equals = text.indexOf(QLatin1Char('='));
  if (equals >= 0) {
    const QString name = nameOf(text.left(equals).trimmed(), parameters);
    if (name.isEmpty()) return std::nullopt;
    return ParameterLine{name, text.mid(equals + 1).trimmed()};
  }
  // The name is as many words as make one.
  const QStringList words = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
  for (qsizetype n = words.size(); n > 0; --n) {
    const QString name = nameOf(words.mid(0, n).join(QLatin1Char(' ')), parameters);
    if (!name.isEmpty()) return ParameterLine{name, words.mid(n).join(QLatin1Char(' '))};
  }
  return std::nullopt;
}

}  // namespace qaq::views
