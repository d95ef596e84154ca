#pragma once

#include <qcustomplot.h>

#include "views/plots/theme.h"

namespace qaq::views {

/// The line above a plot: a bold title and what exactly is shown. Of several wordings the longest
/// that fits is written, so that nothing is cut.
class PaneHeader : public QCPLayoutElement {
  Q_OBJECT

 public:
  static constexpr Px<int> kHeight{30};

  explicit PaneHeader(QCustomPlot* plot);

  void setTheme(const Theme& theme) { m_theme = theme; }
  /// "A" or "B" before the title, in the colour of that category.
  void setLetter(const QString& letter, int category);
  void setTitle(const QString& title) { m_title = title; }
  /// Wordings, longest first.
  void setSubtitles(const QStringList& subtitles) { m_subtitles = subtitles; }
  /// A word at the right, such as "updating"; empty: none.
  void setState(const QString& state) { m_state = state; }
  /// px at the right that a button of the pane covers; figures have none.
  void setButtonRoom(int px) { m_buttonRoom = px; }
  QString text() const;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  Theme m_theme = Theme::of(ThemeKind::light);
  QString m_letter;
  std::size_t m_category = 0;
  QString m_title;
  QStringList m_subtitles;
  QString m_state;
  int m_buttonRoom = 0;
};

}  // namespace qaq::views
