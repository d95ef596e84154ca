#pragma once

#include <QAbstractButton>
#include <QImage>

#include "views/panels/icons.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// A button that paints itself as a card: surface, border, the theme's accent while it has the
/// keyboard's focus.
class StartCard : public QAbstractButton {
  Q_OBJECT

 public:
  explicit StartCard(QWidget* parent = nullptr);
  void setTheme(const Theme& theme);

 protected:
  const Theme& theme() const { return m_theme; }
  void paintFrame(QPainter& painter, bool accented) const;
  bool event(QEvent* event) override;

 private:
  Theme m_theme = Theme::of(ThemeKind::light);
};

/// A command: icon, title, what it does, shortcut.
class ActionCard : public StartCard {
  Q_OBJECT

 public:
  struct Text {
    QString title, help, shortcut;
  };
  /// The first of a list is `isMain`: it stands out.
  ActionCard(Icon icon, Text text, bool isMain, QWidget* parent = nullptr);
  QSize sizeHint() const override { return {440, 62}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Icon m_icon;
  Text m_text;
  bool m_main;
};

/// A sample: its picture, title and what is in it.
class SampleCard : public StartCard {
  Q_OBJECT

 public:
  static constexpr QSize kPicture{206, 116};  ///< px at 96 dpi

  explicit SampleCard(const QString& title, QWidget* parent = nullptr);
  void setPicture(const QImage& picture, const QString& facts);
  /// In place of a picture: why there is none.
  void setError(const QString& line);
  const QImage& picture() const { return m_picture; }
  const QString& facts() const { return m_facts; }
  QSize sizeHint() const override { return {kPicture.width() + 24, 204}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QImage m_picture;
  QString m_facts;
};

}  // namespace qaq::views
