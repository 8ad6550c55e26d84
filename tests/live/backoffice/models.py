"""Models with what makes a form of the admin send more than one SELECT and one UPDATE."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)
    email = models.EmailField(unique=True)


class Shelf(models.Model):
    code = models.SlugField(unique=True)
    room = models.CharField(max_length=20)
    places = models.IntegerField(default=0)


class Book(models.Model):
    title = models.CharField(max_length=80)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    isbn = models.CharField(max_length=13, unique=True)
    shelf = models.ForeignKey(Shelf, on_delete=models.SET_NULL, null=True, blank=True)
    edition = models.IntegerField(default=1)
    stock = models.IntegerField(default=0)
    is_lent = models.BooleanField(default=False)
    secret = models.IntegerField(default=0, editable=False)
    added = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        unique_together = [("author", "title")]


class Review(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    reader = models.ForeignKey(Author, on_delete=models.CASCADE)
    text = models.TextField()
    stars = models.IntegerField(default=0)

    class Meta:
        ordering = ["stars", "id"]


class Loan(models.Model):
    book = models.OneToOneField(Book, on_delete=models.CASCADE)
    borrower = models.ForeignKey(Author, null=True, blank=True, on_delete=models.SET_NULL)
    days = models.IntegerField(default=14)

    def save(self, *args, **kwargs):
        self.days = min(self.days, 28)
        super().save(*args, **kwargs)
