"""A writer of each model, for the admin to stand beside."""

from .models import Author, Book, Loan, Shelf


def write_author(pk):
    author = Author.objects.get(pk=pk)
    author.name = author.name + "!"
    author.save()


def write_shelf(pk):
    shelf = Shelf.objects.get(pk=pk)
    shelf.places += 1
    shelf.save()


def write_book(pk):
    book = Book.objects.get(pk=pk)
    book.stock += 1
    book.save()


def write_loan(pk):
    loan = Loan.objects.get(pk=pk)
    loan.days += 1
    loan.save()
