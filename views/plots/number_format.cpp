#include "views/plots/number_format.h"

#include <QLocale>
#include <cmath>

namespace qaq::views {
namespace {

const QChar kMinus(0x2212);

QString raised(int number) {
  static const QString digits = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
  QString out = number < 0 ? QStringLiteral("⁻") : QString();
  for (const QChar digit : QString::number(std::abs(number))) out += digits[digit.digitValue()];
  return out;
}

}  // namespace

QString numberText(double value, int digits) {
  if (std::isnan(value)) return QStringLiteral("–");
  if (value == 0) return QStringLiteral("0");
  const double size = std::abs(value);
  // Of the rounded number: 0.09999 is written as 0.100.
  const QString rounded = QString::number(size, 'e', digits - 1);
  const int exponent = rounded.mid(rounded.indexOf(QLatin1Char('e')) + 1).toInt();
  QString text;
  if (exponent < -4 || exponent > 4) {
    text = QLocale().toString(size / std::pow(10.0, exponent), 'f', std::max(0, digits - 2)) +
           QStringLiteral("×10") + raised(exponent);
  } else {
    text = QLocale().toString(size, 'f', std::max(0, digits - 1 - exponent));
  }
  return value < 0 ? kMinus + text : text;
}

QString shortNumberText(double value, int digits) {
  if (std::isinf(value)) return value < 0 ? kMinus + QStringLiteral("∞") : QStringLiteral("∞");
  QString text = numberText(value, digits);
  const auto end = text.indexOf(QStringLiteral("×"));
  QString number = text.left(end < 0 ? text.size() : end);
  const QString point = QLocale().decimalPoint();
  if (!number.contains(point)) return text;
  while (number.endsWith(QLatin1Char('0'))) number.chop(1);
  if (number.endsWith(point)) number.chop(point.size());
  return end < 0 ? number : number + text.mid(end);
}

QString bytesText(double bytes) {
  static const QStringList units{QStringLiteral("B"), QStringLiteral("KiB"), QStringLiteral("MiB"),
                                 QStringLiteral("GiB"), QStringLiteral("TiB")};
  int unit = 0;
  // 1023.96 KiB would be written as 1024.
  while (bytes >= (unit == 0 ? 1023.5 : 1023.95) && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  const int decimals = unit == 0 || bytes >= 99.95 ? 0 : 1;
  return QLocale().toString(bytes, 'f', decimals) + QLatin1Char(' ') + units[unit];
}

QString shareText(double share) {
  const double percent = 100 * share;
  const QLocale locale;
  if (percent > 0 && percent < 0.1) {
    return QStringLiteral("<") + locale.toString(0.1, 'f', 1) + QStringLiteral(" %");
  }
  const int decimals = percent > 0 && percent < 0.95 ? 1 : 0;
  return locale.toString(percent, 'f', decimals) + QStringLiteral(" %");
}

QString decadeText(int exponent) {
  if (exponent < -2 || exponent > 3) return QStringLiteral("10") + raised(exponent);
  return QLocale().toString(std::pow(10.0, exponent), 'f', std::max(0, -exponent));
}

double roundStep(double least) {
  const double decade = std::pow(10.0, std::floor(std::log10(least)));
  for (const double each : {1.0, 2.0, 5.0}) {
    if (each * decade >= least) return each * decade;
  }
  return 10 * decade;
}

QString counted(std::int64_t n, const QString& one, const QString& many) {
  return n == 1 ? one : many.arg(QLocale().toString(static_cast<qlonglong>(n)));
}

QString quoted(const std::string& tokenText) {
  QString text = QString::fromStdString(tokenText);
  text.replace(QLatin1Char('\n'), QStringLiteral("⏎"))
      .replace(QLatin1Char('\t'), QStringLiteral("→"));
  return QStringLiteral("“") + text + QStringLiteral("”");
}

}  // namespace qaq::views
